"""Types commands, as a person does."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from crosswind.cli.adopting import adopt
from crosswind.cli.fleets import fleet
from crosswind.cli.reporting import report
from crosswind.cli.signals import signal
from crosswind.cli.teaching import Root

CROSSWIND = Root("crosswind", sections={"Declare": (adopt, fleet, report, signal)})
"""The command, with the parts of it that are looked at here."""

EXAMPLES = [
    line
    for command in (adopt, signal)
    for _, line in command.examples
    if line.startswith(("crosswind adopt", "crosswind signal --history 30d"))
]
"""What the help of the commands shows of accounts."""

TWO = ("--region", "us-east-1", "--region", "eu-west-1")


def types(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(CROSSWIND, words)
    assert result.exit_code == code, f"{result.exit_code}: {result.output}"
    return result


def reads(*words: str, code: int = 0) -> Any:
    return json.loads(types(*words, "--json", code=code).stdout)
