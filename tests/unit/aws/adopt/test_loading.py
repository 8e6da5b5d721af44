"""What is imported when."""

from __future__ import annotations

import subprocess
import sys


def test_the_policy_needs_no_sdk() -> None:
    program = (
        "import sys; from crosswind_aws.adopt import policy; policy(); "
        "print(*(n for n in sys.modules if n.partition('.')[0] in ('boto3', 'botocore')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
