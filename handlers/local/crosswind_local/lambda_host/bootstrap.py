"""The `bootstrap` file by which a custom runtime of Lambda runs a Python function.

With `Runtime: provided.al2023` AWS, and an emulator, execute the file of this name in the
artifact. Source: docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html.
"""

import shlex
import sys


def bootstrap(python: str = sys.executable, path: str = "") -> str:
    """A shell script that runs a function under the official runtime client.

    Args:
        python: the interpreter, which must have `awslambdaric`.
        path: where modules are looked for beside the artifact itself, as in PYTHONPATH.
    """
    places = f'"$LAMBDA_TASK_ROOT"{":" + shlex.quote(path) if path else ""}'
    return (
        "#!/bin/sh\n"
        f"export PYTHONPATH={places}\n"
        f'exec {shlex.quote(python)} -m awslambdaric "$_HANDLER"\n'
    )
