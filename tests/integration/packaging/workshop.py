"""A project to package, a platform that is no cloud, and an index that is a folder of wheels.

The wheels that Crosswind needs are copies of what is installed here; all others are tiny. Nothing
asks a network.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from crosswind.cli.loading import load_app
from crosswind.packaging.build import Loaded, Request, build
from crosswind.packaging.faults import Fault, PackagingFailed
from crosswind.packaging.platform import Entry, Limit, Named, Platform, Runtime
from crosswind.packaging.report import Built
from unit.packaging.wheelwright import repacked, wheel

HERE = (sys.version_info.major, sys.version_info.minor)
NEEDED = ("pydantic", "pydantic-core", "annotated-types", "typing-extensions", "typing-inspection")
OTHER_MACHINE = "cp313-cp313-manylinux_2_17_s390x"

APP = """\
from crosswind import App, Context, Event
from crosswind_events import EventData, RegionUnhealthy

app = App("ops")


class Noted(EventData, type="com.example.noted.v1"):
    region: str


@app.on()
def note(event: Event[RegionUnhealthy], ctx: Context) -> Noted:
    return Noted(region=event.data.region)


def make() -> App:
    return app
"""


def entry(about: Entry) -> str:
    """An entry whose handler says which app, group and fleet it has."""
    line, app = about.app.imported("_app")
    fleet = "None"
    if about.fleet is not None:
        fleet = f"json.load(open(Path(__file__).with_name({about.fleet!r})))['name']"
    return (
        f"import json\nfrom pathlib import Path\n{line}\n"
        f"def handler(event, context):\n"
        f"    return [({app}).name, {about.group!r}, {fleet}]\n"
    )


BARE = Platform(
    cloud="bare",
    title="Bare Metal",
    runtimes={
        "old": Runtime("old", (3, 9), (2, 17), date(2020, 1, 1)),
        "retired": Runtime("retired", HERE, (2, 34), date(2020, 1, 1)),
        "here": Runtime("here", HERE, (2, 34), date(2099, 1, 1)),
        "other": Runtime("other", (3, 13) if HERE != (3, 13) else (3, 12), (2, 34)),
    },
    architectures=("x86_64", "arm64"),
    packages=(),
    extra="",
    provided={"sdk": ("sdk",)},
    limits={
        "zipped": Limit("an upload has", 50 << 20, "leave something out"),
        "unzipped": Limit("a function has", 250 << 20, "leave something out"),
    },
    mount="/srv/app",
    entry_file="bare_entry.py",
    handler="bare_entry.handler",
    entry=entry,
    source="https://example.com/runtimes",
)


@contextmanager
def silent(words: str) -> Iterator[None]:
    """No progress is shown."""
    yield


def stock(folder: Path) -> None:
    """Fill a folder with wheels."""
    folder.mkdir()
    for name in NEEDED:
        repacked(folder, name)
    wheel(folder, "plain", files={"plain.py": "VALUE = 1\n", "plain_data.json": "{}"})
    wheel(folder, "plain", "2.0")
    wheel(folder, "elsewhere", tag=OTHER_MACHINE)
    wheel(folder, "nowhere", tag=OTHER_MACHINE)
    wheel(folder, "needs-elsewhere", requires=["elsewhere"])
    wheel(folder, "wants-one", requires=["plain==1.0"])
    wheel(folder, "wants-two", requires=["plain==2.0"])
    wheel(folder, "wants-crosswind", requires=["crosswind>=0.1"])
    wheel(folder, "sdk", requires=["sdk-core"])
    wheel(folder, "sdk-core")
    wheel(folder, "uses-sdk", requires=["sdk"], files={"uses_sdk.py": "import sdk, sdk_core\n"})
    wheel(folder, "compiled", tag="py3-none-manylinux2014_aarch64",
          files={"compiled/__init__.py": "", "compiled/core.abi3.so": b"\x7fELF"})  # fmt: skip
    wheel(folder, "marked", requires=[
        "nowhere; python_version < '3.11'", "plain; platform_machine == 'aarch64'",
    ])  # fmt: skip
    wheel(folder, "rough", files={"rough/__init__.py": "", "rough/template.py": "{{ name }} x"})


@dataclass
class Workshop:
    """A project folder, which is the working folder, and what is made of it."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def put(self, path: str, text: str = "") -> Path:
        """Write a file of the project."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def make(self, *requirements: str, platform: Platform = BARE, **request: Any) -> Built:
        """Package the app `ops:app` with these requirements."""
        if requirements:
            self.put("requirements.txt", "".join(f"{line}\n" for line in requirements))
        asked = Request(**{"root": self.folder, "app": "ops:app", "runtime": "here", **request})
        return build(asked, platform, lambda: self._load(asked), sys.modules, silent)

    def refused(self, *requirements: str, **request: Any) -> tuple[Fault, ...]:
        """The faults for which it is not packaged; nothing may be written then."""
        with pytest.raises(PackagingFailed) as failed:
            self.make(*requirements, **request)
        assert not (self.folder / "dist").exists()
        return failed.value.faults

    @staticmethod
    def _load(asked: Request) -> Loaded:
        module, _, attribute = asked.app.partition(":")
        return Loaded(load_app(asked.app), Named(module, attribute, factory=attribute == "make"))


def limited(zipped: int, unzipped: int) -> Platform:
    """The platform with other limits, in bytes."""
    limits = {
        "zipped": replace(BARE.limits["zipped"], bytes=zipped),
        "unzipped": replace(BARE.limits["unzipped"], bytes=unzipped),
    }
    return replace(BARE, limits=limits)


def contents(built: Built) -> dict[str, bytes]:
    """The files of an artifact."""
    with zipfile.ZipFile(built.path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def manifest(built: Built) -> Mapping[str, Any]:
    """What an artifact says of itself."""
    found: Mapping[str, Any] = json.loads(contents(built)["crosswind.json"])
    return found


def call(built: Built, folder: Path, code: str = "print(json.dumps(handler({}, None)))") -> Any:
    """Unpack an artifact as a platform does, call its handler in a bare process; its answer."""
    with zipfile.ZipFile(built.path) as archive:
        archive.extractall(folder)
    program = f"import sys, json; sys.path[:0] = ['.']; from bare_entry import handler\n{code}"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", program],
        cwd=folder, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)
