"""An artifact for AWS Lambda: how long it takes to make and how large it is, against `sam build`.

Both have made it before, so that every wheel is at hand. What `sam build` writes is a folder; it is
compressed here for its size, and not for its time.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from bench.contestants import Starting
from bench.environments import base_python, peer_python
from bench.figure import Figure, figure
from bench.figures import Plan
from bench.rounds import measure
from bench.serve import Took

MOST_BYTES = 3_000_000
ROUNDS = 7

_APP = """\
from crosswind import App, Context, Event
from crosswind_events import EventData, RegionUnhealthy

app = App("ops")


class Noted(EventData, type="com.example.noted.v1"):
    region: str


@app.on()
def note(event: Event[RegionUnhealthy], ctx: Context) -> Noted:
    return Noted(region=event.data.region)
"""

_TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Ops:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: {runtime}
      Architectures: [x86_64]
"""

_FAILOVER = "crosswind.chains.failover:app"
_REQUIREMENTS = "aws-lambda-powertools[parser]==3.37.0\npydantic>=2.11,<3\n"


class Changing:
    """A contestant whose source has another line each time, as when somebody works on it."""

    def __init__(self, source: Path, starting: Starting) -> None:
        self._source = source
        self._text = source.read_text()
        self._numbers = count()
        self._starting = starting

    def work(self, count: int) -> Took:
        """See `Contestant.work`."""
        self._source.write_text(f"{self._text}\n# {next(self._numbers)}\n")
        return self._starting.work(count)


def packages(plan: Plan) -> Iterator[Figure]:
    """Time and size of an artifact."""
    with tempfile.TemporaryDirectory(prefix="crosswind-bench-") as name:
        ours, theirs = Path(name, "ours"), Path(name, "sam")
        changed, compiled, sam = (
            _ours(ours),
            _ours(Path(name, "compiled"), "--compile"),
            _sam(theirs),
        )
        measured = measure(
            {"changed": changed, "compiled": compiled, "sam": sam},
            rounds=min(ROUNDS, plan.starts),
            most=1,
        )
        about = (
            "an app of one handler with Powertools and pydantic, a line of it changed each time, "
            "every wheel at hand: `crosswind package aws` with its trial import, against "
            "`sam build` of one module with the same libraries, which compresses nothing"
        )
        yield figure("package", measured, "changed", "sam", limit=0.3, unit="ms", note=about)
        yield figure(
            "package, with bytecode",
            measured,
            "compiled",
            "sam",
            limit=None,
            unit="ms",
            note=f"to be read: {about}",
        )
        peer = _zipped(theirs)
        failover = Path(name, "failover")
        _ours(failover, app=_FAILOVER).work(1)
        for made, what in ((ours, "an app of one handler"), (failover, "the built-in failover")):
            (artifact,) = (made / "dist").glob("*.zip")
            size = artifact.stat().st_size
            yield Figure(
                figure=f"package size, {what}",
                ratio=size / MOST_BYTES,
                spread=(size / MOST_BYTES, size / MOST_BYTES),
                limit=1.0,
                ours=size / 1e6,
                peer=peer / 1e6,
                unit="MB",
                rounds=1,
                note=f"{what} for x86_64, boto3 left to the runtime, by the 3 MB that it may have; "
                "the peer is what `sam build` makes of one module, compressed at level 9",
            )


def _ours(folder: Path, *options: str, app: str = "ops:app") -> Changing:
    folder.mkdir()
    source = folder / "ops.py"
    source.write_text(_APP)
    command = [sys.executable, "-m", "crosswind", "package", "aws", "--app", app, *options]
    return Changing(source, Starting(command, folder, _variables()))


def _sam(folder: Path) -> Changing:
    (folder / "src").mkdir(parents=True)
    runtime = "python{}.{}".format(*sys.version_info)
    (folder / "template.yaml").write_text(_TEMPLATE.format(runtime=runtime))
    (folder / "src" / "requirements.txt").write_text(_REQUIREMENTS)
    source = folder / "src" / "app.py"
    source.write_text("def handler(event, context):\n    return event\n")
    command = [str(Path(peer_python("sam")).with_name("sam")), "build"]
    return Changing(source, Starting(command, folder, _variables()))


def _variables() -> Mapping[str, str]:
    """Those that say where wheels come from, and a PATH on which SAM finds its Python."""
    passed = ("PIP_", "UV_", "SSL_", "XDG_", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if name.startswith(passed)}
    path = os.pathsep.join([str(Path(base_python()).parent), os.defpath])
    home = {"HOME": str(Path.home()), "PATH": path}
    return {**kept, **home, "SAM_CLI_TELEMETRY": "0", "LC_ALL": "C.UTF-8"}


def _zipped(folder: Path) -> int:
    built = folder / ".aws-sam" / "build" / "Ops"
    file = folder / "peer.zip"
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=9) as archive:
        for one in sorted(built.rglob("*")):
            archive.write(one, one.relative_to(built))
    return file.stat().st_size
