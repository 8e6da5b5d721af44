"""Functions as Lambda has them: unpacked, under AWS's own runtime client, started anew each time.

Ours is what `crosswind package aws` makes. That of Powertools is what `sam build` packs: the
library with its parser, and one module. Custodian's archive is made by Custodian. The interpreter
is one for all, of an environment that has what Lambda's runtime brings and nothing else: the
runtime client and boto3, with their bytecode. Nothing writes bytecode while it runs, for a
function's folder cannot be written to.
"""

from __future__ import annotations

import compileall
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from bench import archives
from bench.contestants import TESTS, ContestantFailed, children
from bench.environments import packages, peer_python
from bench.serve import Took
from crosswind_local.lambda_host import LambdaHost

_PACKED = (
    "aws_lambda_powertools",
    "jmespath",
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "typing_extensions",
    "typing_inspection",
)
_BYTECODE = shutil.ignore_patterns("__pycache__", "*.pyc")


class Cold:
    """A function whose work is to start and to give its first answer.

    Args:
        handler: as Lambda is told.
        code: its folder.
        event: makes an event that no start has seen.
        answers: what it must answer.
        environ: its variables.
        beside: folders of modules beside the code.
    """

    def __init__(
        self,
        handler: str,
        code: Path,
        event: Callable[[], Any],
        answers: Callable[[Any], bool],
        environ: Mapping[str, str],
        *beside: Path,
    ) -> None:
        self._event = event
        self._answers = answers
        variables = {**environ, "PYTHONDONTWRITEBYTECODE": "1"}
        if beside:
            variables["PYTHONPATH"] = ":".join(map(str, (code, *beside)))
        python = peer_python("lambda")
        self._host: Callable[[], LambdaHost] = partial(
            LambdaHost, handler, code, python=python, env=variables
        )

    def work(self, count: int) -> Took:
        """See `Contestant.work`; until the answer is there, and not until the process has ended."""
        wall, before = 0.0, children()
        for _ in range(count):
            event = self._event()
            began = time.perf_counter()
            with self._host() as function:
                answer = function.invoke(event)
                wall += time.perf_counter() - began
                if answer.outcome != "returned" or not self._answers(answer.payload):
                    raise ContestantFailed(f"{answer}\n{function.log()[-4000:]}")
        return Took(wall, children() - before)


def ours(folder: Path, compiled: bool) -> Path:
    """The folder of our function, as it is packaged for the Python that runs here."""
    project = folder.with_name(f"{folder.name}-project")
    project.mkdir()
    shutil.copy(TESTS / "bench" / "ours" / "reaction.py", project / "ops.py")
    command = [sys.executable, "-m", "crosswind", "package", "aws", "--app", "ops:app"]
    command += ["--runtime", "python{}.{}".format(*sys.version_info)]
    subprocess.run(
        [*command, *(["--compile"] if compiled else [])],
        cwd=project,
        check=True,
        stdout=sys.stderr,
    )
    (artifact,) = (project / "dist").glob("*.zip")
    with zipfile.ZipFile(artifact) as packed:
        packed.extractall(folder)
    return folder


def powertools(folder: Path, compiled: bool) -> Path:
    """The folder of a function with Powertools, without what the runtime brings."""
    folder.mkdir()
    site = packages(peer_python("powertools"))
    for name in _PACKED:
        for found in (*site.glob(name), *site.glob(f"{name}.py"), *site.glob(f"{name}-*")):
            if found.is_dir():
                shutil.copytree(found, folder / found.name, ignore=_BYTECODE)
            else:
                shutil.copy(found, folder / found.name)
    shutil.copy(TESTS / "bench" / "peers" / "powertools_app.py", folder / "app.py")
    return _with_bytecode(folder, compiled)


def custodian(folder: Path, compiled: bool) -> tuple[Path, Path]:
    """The folder of Custodian's function, and that of what its runtime has beside."""
    runtime = archives.unpack_custodian(folder, peer_python("c7n"))
    return _with_bytecode(folder, compiled), runtime


def bare(folder: Path) -> Path:
    """A function that imports nothing."""
    folder.mkdir()
    shutil.copy(TESTS / "bench" / "bare.py", folder / "bare.py")
    return _with_bytecode(folder, True)


def _with_bytecode(folder: Path, compiled: bool) -> Path:
    if compiled:
        compileall.compile_dir(folder, quiet=2)
    return folder
