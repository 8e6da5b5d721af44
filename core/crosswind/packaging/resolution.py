"""Which wheels the target's interpreter would install, whatever interpreter runs here.

uv resolves: it evaluates markers for the target and not for this machine, takes wheels only, and
explains a failure. It is told of Crosswind as it is installed here by a wheel that holds nothing
but its metadata, so that an explanation names both sides of a conflict, and so that a package which
needs Crosswind finds the one that is packed.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit
from zipfile import ZipFile

from crosswind.packaging.faults import Faults, IndexUnreachable
from crosswind.packaging.indexes import Indexes
from crosswind.packaging.platform import Target
from crosswind.packaging.requirements import Asked, Wanted
from crosswind.packaging.tools import run, uv_path

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.tags import Tag

OURS: Final = "crosswind"

_TRIES: Final = 8
"""So many packages without a wheel are named at most."""

_GLIBC: Final = ((2, 17), (2, 28), *((2, minor) for minor in range(31, 41)))
"""Versions of manylinux that uv knows."""

_NO_WHEEL: Final = re.compile(
    r"(?:all versions of )?([\w.-]+?)(?:==\S+)? ha(?:s|ve) no (?:usable )?wheels"
)
_NO_NETWORK: Final = re.compile(
    r"error sending request|failed to fetch|dns error|network was disabled|not found in the cache"
    r"|connection refused|timed out",
    re.IGNORECASE,
)
_UNKNOWN: Final = re.compile(
    r"was not found in the (?:package registry|provided package locations)"
)
_PASSWORD: Final = re.compile(r"(?<=://)[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel that was chosen.

    Attributes:
        sha256: of the wheel's file; empty where nobody says it.
        where: its address, from which it is fetched: a second answer of an index may be another.
        direct: whether it was required by that address.
    """

    name: str
    version: str
    file: str
    sha256: str
    where: str
    direct: bool = False

    @property
    def line(self) -> str:
        """A requirement that only this wheel fulfils, wherever it is found."""
        named = f"{self.name} @ {self.where}" if self.direct else f"{self.name}=={self.version}"
        return f"{named} --hash=sha256:{self.sha256}"


@dataclass(frozen=True)
class Resolver:
    """Asks uv.

    Args:
        target: what for.
        root: of the project, where uv looks for settings of its own.
        indexes: that uv is told of.
        find_links: folders of wheels.
        offline: whether only what is at hand is taken.
        scratch: a folder for files that are handed to uv.
    """

    target: Target
    root: Path
    indexes: Indexes
    find_links: Sequence[Path]
    offline: bool
    scratch: Path

    def resolve(self, wanted: Wanted, faults: Faults) -> tuple[Wheel, ...]:
        """Choose a wheel for everything that is wanted and for what Crosswind needs.

        What cannot be had is a fault; the search goes on without it, so that all are named.

        Raises:
            IndexUnreachable: nobody can say, for the index does not answer.
        """
        ours = distribution(OURS)
        asked = tuple(_agreed(wanted.asked, ours, self.target, faults))
        stub = _write_stub(self.scratch, ours)
        extra = self.target.platform.extra
        named = f"{OURS}[{extra}]" if extra else OURS
        lines = [f"{named} @ {stub.as_uri()}", *wanted.options]
        lines += [one.line for one in asked if not one.constraint]
        constraints = [one.line for one in asked if one.constraint]
        dropped: list[str] = []
        while True:
            found, said = self._compile(lines, constraints, dropped)
            if found is not None:
                return tuple(
                    _checked(_wheels(found, asked, self.target), asked, self.target, faults)
                )
            package = self._fault(said, asked, faults)
            if package is None or package in dropped or len(dropped) == _TRIES:
                return ()
            dropped.append(package)

    def install(self, wheels: Sequence[Wheel], folder: Path) -> None:
        """Unpack wheels into a folder, each checked against its digest.

        Raises:
            IndexUnreachable: one cannot be fetched.
        """
        lines = [f"{one.name} @ {one.where} --hash=sha256:{one.sha256}" for one in wheels]
        listed = self._file("install.txt", lines)
        done = self._uv(
            ["pip", "install", "--no-deps", "--require-hashes", "--target", str(folder)],
            ["-r", str(listed)],
        )
        if done.returncode:
            raise IndexUnreachable(f"wheels cannot be fetched: {_explained(done.stderr)}")

    def _compile(
        self, lines: list[str], constraints: list[str], dropped: list[str]
    ) -> tuple[str | None, str]:
        command = ["pip", "compile", "--format", "pylock.toml", "--no-header"]
        given = [str(self._file("wanted.in", lines))]
        if constraints:
            given += ["--constraint", str(self._file("constraints.txt", constraints))]
        if dropped:
            # A requirement that never applies takes the place of every one on that package.
            never = [f"{name} ; python_version < '0'" for name in dropped]
            given += ["--override", str(self._file("dropped.txt", never))]
        done = self._uv(command, given)
        return (None if done.returncode else done.stdout), done.stderr

    def _uv(self, command: Sequence[str], given: Sequence[str]) -> Any:
        path = uv_path()
        assert path is not None, "check_tools() was called"
        target = self.target
        shared = [
            "--python", sys.executable,
            "--python-version", target.runtime.version,
            "--python-platform", _platform(target),
            "--only-binary", ":all:",
            "--no-python-downloads",
            "--directory", str(self.root),
        ]  # fmt: skip
        if self.offline:
            shared.append("--offline")
        if self.indexes.none:
            shared.append("--no-index")
        return run([path, *command, *shared, *given], self._variables())

    def _variables(self) -> dict[str, str]:
        """What uv is told by its environment; of folders of wheels, all that anybody has named."""
        told = {"UV_NO_PROGRESS": "1", "NO_COLOR": "1", "UV_PYTHON_DOWNLOADS": "never"}
        told.setdefault("UV_HTTP_RETRIES", os.environ.get("UV_HTTP_RETRIES", "1"))
        told.update(self.indexes.variables)
        named = told.get("UV_FIND_LINKS") or os.environ.get("UV_FIND_LINKS")
        links = [*([named] if named else []), *(str(one.absolute()) for one in self.find_links)]
        if links:
            told["UV_FIND_LINKS"] = ",".join(links)
        return told

    def _file(self, name: str, lines: Sequence[str]) -> Path:
        file = self.scratch / name
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return file

    def _fault(self, said: str, asked: Sequence[Asked], faults: Faults) -> str | None:
        """Note what uv said; the package to go on without, where there is one."""
        words = _explained(said)
        unanswered = _NO_NETWORK.search(words) and "No solution" not in words
        if unanswered or "not found in the cache" in words:
            raise IndexUnreachable(
                f"the package index cannot be asked: {words}. Name a folder of wheels with "
                "--find-links, or package once while the index can be reached: what was fetched "
                "stays at hand"
            )
        about = words.removeprefix("error: No solution found when resolving dependencies ")
        about = about.removeprefix("cause: ")
        target = self.target
        if found := _NO_WHEEL.search(words):
            name = found[1]
            faults.add(
                "wheel",
                _where(name, asked),
                f"no wheel of it fits {target.runtime.name} on {target.architecture}: {about}",
                "choose a version that has one, or build one for that machine and name its folder "
                "with --find-links",
            )
            return name
        if _UNKNOWN.search(words):
            remedy = "mend the name, or name the index or the folder that has it"
            faults.add("requirement", "requirements", about, remedy)
            return None
        faults.add("conflict", "requirements", about, "loosen one side of it")
        return None


def needs(ours: Distribution, target: Target) -> tuple[Requirement, ...]:
    """What Crosswind itself needs on a target."""
    from packaging.requirements import Requirement

    environment = {**target.markers(), "extra": target.platform.extra}
    parsed = (Requirement(line) for line in ours.requires or ())
    return tuple(one for one in parsed if one.marker is None or one.marker.evaluate(environment))


def _agreed(
    asked: Sequence[Asked], ours: Distribution, target: Target, faults: Faults
) -> Iterator[Asked]:
    """The requirements that do not plainly contradict Crosswind's own."""
    from packaging.utils import canonicalize_name

    own = {str(canonicalize_name(one.name)): one for one in needs(ours, target)}
    for one in asked:
        marker = one.requirement.marker
        if marker is not None and not marker.evaluate({**target.markers(), "extra": ""}):
            continue
        if one.name == OURS:
            if not one.requirement.specifier.contains(ours.version, prereleases=True):
                faults.add(
                    "conflict",
                    one.where,
                    f"wants {one.requirement}, and this is crosswind {ours.version}",
                    "package with the version that is wanted, or loosen the requirement",
                )
                continue
        elif (other := own.get(one.name)) is not None:
            pins = [spec.version for spec in one.requirement.specifier if spec.operator == "=="]
            if any(_refuses(other, pin) for pin in pins):
                problem = f"wants {one.requirement}, and crosswind needs {other}"
                faults.add("conflict", one.where, problem, "pin a version that both can take")
                continue
        yield one


def _refuses(requirement: Requirement, pin: str) -> bool:
    """Whether a requirement does not take a version; a prefix such as `2.*` is left to uv."""
    return "*" not in pin and not requirement.specifier.contains(pin, prereleases=True)


def _write_stub(folder: Path, ours: Distribution) -> Path:
    stem = f"{OURS}-{ours.version}"
    metadata = (ours.read_text("METADATA") or "").partition("\n\n")[0]
    about = "Wheel-Version: 1.0\nGenerator: crosswind\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    file = folder / f"{stem}-py3-none-any.whl"
    with ZipFile(file, "w") as wheel:
        for name, text in (("METADATA", f"{metadata}\n"), ("WHEEL", about), ("RECORD", "")):
            wheel.writestr(f"{stem}.dist-info/{name}", text)
    return file


def _wheels(lock: str, asked: Sequence[Asked], target: Target) -> Iterator[Wheel]:
    """The wheels of a lock (PEP 751), Crosswind's own apart: of each package the fittest."""
    pinned = {digest for one in asked for digest in one.hashes}
    order = {str(tag): place for place, tag in enumerate(_tags(target))}

    def rank(found: dict[str, Any]) -> tuple[bool, int]:
        from packaging.utils import parse_wheel_filename

        tags = parse_wheel_filename(_file(found))[3]
        places = [order[str(tag)] for tag in tags if str(tag) in order]
        unpinned = f"sha256:{found.get('hashes', {}).get('sha256')}" not in pinned
        return unpinned, min(places, default=len(order))

    for package in tomllib.loads(lock).get("packages", ()):
        name, version = package["name"], package.get("version", "0")
        if name == OURS:
            continue
        direct = package.get("archive")
        found = direct or min(package["wheels"], key=rank)
        file = _file(found)
        if direct:
            version = file.split("-")[1]
        sha256 = found.get("hashes", {}).get("sha256", "")
        yield Wheel(name, version, file, sha256, _address(found), direct is not None)


def _address(found: dict[str, Any]) -> str:
    address: str = found.get("url") or Path(found["path"]).absolute().as_uri()
    return address


def _file(found: dict[str, Any]) -> str:
    return unquote(urlsplit(_address(found)).path).rpartition("/")[2]


def _tags(target: Target) -> Iterator[Tag]:
    """The tags of wheels that fit a target, the fittest first (PEP 425)."""
    from packaging.tags import compatible_tags, cpython_tags

    major, newest = target.runtime.glibc
    legacy = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
    platforms: list[str] = []
    for minor in range(newest, 4, -1):
        platforms.append(f"manylinux_{major}_{minor}_{target.machine}")
        if minor in legacy:
            platforms.append(f"{legacy[minor]}_{target.machine}")
    python = target.runtime.python
    interpreter = "cp{}{}".format(*python)
    yield from cpython_tags(python, [interpreter], platforms)
    yield from compatible_tags(python, interpreter, platforms)


def _checked(
    wheels: Iterator[Wheel], asked: Sequence[Asked], target: Target, faults: Faults
) -> Iterator[Wheel]:
    """Wheels, with a fault for each that is not the one that was pinned."""
    for wheel in wheels:
        for one in asked:
            listed = one.hashes if one.name == wheel.name else ()
            if listed and f"sha256:{wheel.sha256}" not in listed:
                problem = f"{wheel.file} has the digest sha256:{wheel.sha256}, which is not listed"
                remedy = f"list it, if that is the wheel you want for {target.name}"
                faults.add("integrity", one.where, problem, remedy)
        if not wheel.sha256:
            remedy = "use an index that gives digests"
            faults.add("integrity", wheel.name, f"{wheel.file} comes without a digest", remedy)
        yield wheel


def _platform(target: Target) -> str:
    """The newest manylinux that the runtime's C library bears, as uv names it."""
    fitting = max(one for one in _GLIBC if one <= target.runtime.glibc)
    return "{}-manylinux_{}_{}".format(target.machine, *fitting)


def _explained(said: str) -> str:
    """What uv said, as one line without warnings, frames and passwords."""
    lines = [line for line in said.splitlines() if not line.startswith("warning:")]
    text = re.sub(r"[\u00d7\u2500-\u257f\u25b6]+", " ", " ".join(lines))
    text = re.sub(r"\s+", " ", text).strip()
    return _PASSWORD.sub("", text.partition(" hint: ")[0])


def _where(name: str, asked: Sequence[Asked]) -> str:
    return next((one.where for one in asked if one.name == name), name)
