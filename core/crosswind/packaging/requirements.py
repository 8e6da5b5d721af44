"""What a project asks for, line by line, so that a fault can say where.

Read are the lines of requirements files (with `-r` and `-c` in them, and hashes), or the
dependencies of `pyproject.toml`. The project itself, as `.` or `-e .`, stands for these: its code
is collected from its folder. What cannot be packaged again elsewhere is refused: other folders and
editable installs, version control, and files outside of the project.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from crosswind.packaging.faults import Faults
from crosswind.packaging.project import Project

if TYPE_CHECKING:
    from packaging.requirements import Requirement

DEFAULT: Final = "requirements.txt"

_HASH: Final = re.compile(r"\s--hash[= ](\S+)")
_INCLUDE: Final = re.compile(r"(?:-r|-c|--requirement|--constraint)[= ]?\s*(\S+)")
_EDITABLE: Final = re.compile(r"(?:-e|--editable)[= ]?\s*(.+)")
_COMMENT: Final = re.compile(r"(?:^|\s)#.*$")
_OPTIONS: Final = (
    "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index", "--pre",
    "--only-binary", "--no-binary", "--prefer-binary", "--trusted-host", "--require-hashes",
)  # fmt: skip
_MOST_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Asked:
    """One requirement and where it stands.

    Attributes:
        constraint: it says which version, not that the package is wanted.
        hashes: of which the wheel must have one, as `sha256:...`; empty where none are given.
    """

    where: str
    requirement: Requirement
    constraint: bool = False
    hashes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The package, as it is compared (PEP 503)."""
        from packaging.utils import canonicalize_name

        return canonicalize_name(self.requirement.name)

    @property
    def line(self) -> str:
        """As a requirements file has it, without hashes: these are compared afterwards."""
        return str(self.requirement)


@dataclass(frozen=True)
class Wanted:
    """All that a project asks for, and the options on indexes that stood with it."""

    asked: tuple[Asked, ...] = ()
    options: tuple[str, ...] = ()


def read_wanted(project: Project, files: Iterable[Path], faults: Faults) -> Wanted:
    """Read what a project asks for.

    Args:
        files: requirements files; where there are none, `requirements.txt` of the project, or else
            the dependencies of its `pyproject.toml`.
    """
    given = list(files)
    default = project.root / DEFAULT
    if not given and default.is_file():
        given = [default]
    if not given:
        return Wanted(tuple(_of_document(project, faults)))
    reader = _Reader(project, faults)
    for file in given:
        inside = file.absolute().is_relative_to(project.root)
        shown = file.absolute().relative_to(project.root) if inside else file
        reader.read(file, shown, constraint=False)
    return Wanted(tuple(reader.asked), tuple(reader.options))


def _of_document(project: Project, faults: Faults) -> Iterator[Asked]:
    """What the project's own `pyproject.toml` depends on."""
    where = "pyproject.toml"
    table = project.document.get("project")
    if not isinstance(table, dict):
        return
    if "dependencies" in (table.get("dynamic") or ()):
        problem = "its dependencies are dynamic, and are known only when it is built"
        faults.add("requirement", where, problem, f"write them in {DEFAULT}")
        return
    for line in table.get("dependencies", ()):
        requirement = parse(str(line), where, faults)
        if requirement is not None:
            yield Asked(where, requirement)


class _Reader:
    def __init__(self, project: Project, faults: Faults) -> None:
        self.project = project
        self.faults = faults
        self.asked: list[Asked] = []
        self.options: list[str] = []
        self.read_files: list[Path] = []

    def read(self, file: Path, shown: Path, *, constraint: bool) -> None:
        resolved = file.resolve()
        if resolved in self.read_files:
            return
        self.read_files.append(resolved)
        try:
            if file.stat().st_size > _MOST_BYTES:
                raise ValueError(f"is larger than {_MOST_BYTES:,} bytes")
            text = file.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            problem = getattr(error, "strerror", None) or str(error)
            self.faults.add("requirement", str(shown), problem, "name a requirements file")
            return
        for number, line in _logical(text):
            self._line(line, f"{shown}:{number}", file, shown, constraint)

    def _line(self, line: str, where: str, file: Path, shown: Path, constraint: bool) -> None:
        if other := _INCLUDE.fullmatch(line):
            path = file.parent / other[1]
            if self._inside(path, where, other[1]):
                is_constraint = constraint or line.startswith(("-c", "--constraint"))
                self.read(path, shown.parent / other[1], constraint=is_constraint)
            return
        if editable := _EDITABLE.fullmatch(line):
            if not self._is_itself(file.parent / editable[1]):
                self._folder(where, editable[1], "is an editable install")
            return
        if line.startswith("-"):
            self._option(line, where)
            return
        hashes = tuple(_HASH.findall(line))
        line = _HASH.sub("", line).strip()
        if _is_path(line):
            self._path(line, where, file)
            return
        requirement = parse(line, where, self.faults)
        if requirement is None:
            return
        if requirement.url is not None and not self._fetchable(requirement, where, file):
            return
        self.asked.append(Asked(where, requirement, constraint, hashes))

    def _option(self, line: str, where: str) -> None:
        name = re.split(r"[= ]", line, maxsplit=1)[0]
        if name not in _OPTIONS:
            remedy = "take it out, or write it where uv is configured"
            self.faults.add("requirement", where, f"the option {name} is not known here", remedy)
        elif name not in ("--only-binary", "--no-binary", "--prefer-binary", "--require-hashes"):
            self.options.append(line)

    def _fetchable(self, requirement: Requirement, where: str, file: Path) -> bool:
        parts = urlsplit(requirement.url or "")
        if parts.scheme == "file":
            return self._wheel(Path(unquote(parts.path)), where, requirement.url or "")
        if parts.scheme == "https" and parts.path.endswith(".whl"):
            return True
        self._folder(where, requirement.name, "is no wheel")
        return False

    def _path(self, line: str, where: str, file: Path) -> None:
        """A wheel that is named by its path becomes a requirement by URL."""
        path = file.parent / line
        if self._is_itself(path) or not self._wheel(path, where, line):
            return
        name = path.name.partition("-")[0]
        found = parse(f"{name} @ {path.resolve().as_uri()}", where, self.faults)
        if found is not None:
            self.asked.append(Asked(where, found))

    def _is_itself(self, path: Path) -> bool:
        """Whether a path is that of the project, whose dependencies are taken then."""
        if path.resolve() != self.project.root:
            return False
        self.asked += _of_document(self.project, self.faults)
        return True

    def _wheel(self, path: Path, where: str, shown: str) -> bool:
        if not self._inside(path, where, shown):
            return False
        if path.suffix != ".whl":
            self._folder(where, shown, "is no wheel")
            return False
        if not path.is_file():
            self.faults.add("requirement", where, f"there is no {shown}", "build it, or mend it")
            return False
        return True

    def _inside(self, path: Path, where: str, shown: str) -> bool:
        if self.project.holds(path):
            return True
        problem = f"{shown} lies outside of {self.project.root.name}"
        self.faults.add("outside", where, problem, "copy it into the project")
        return False

    def _folder(self, where: str, shown: str, problem: str) -> None:
        remedy = "build a wheel (python -m build --wheel), and name that, or its folder with "
        self.faults.add("requirement", where, f"{shown} {problem}", f"{remedy}--find-links")


def parse(line: str, where: str, faults: Faults) -> Requirement | None:
    """Read one requirement (PEP 508); None, and a fault, where it is none."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(line)
    except InvalidRequirement as error:
        first = str(error).splitlines()[0]
        faults.add("requirement", where, f"{line!r} is no requirement: {first}", "mend it")
        return None


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, those that end in a backslash joined to the next."""
    held, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = _COMMENT.sub("", raw)
        start = start or number
        if line.rstrip().endswith("\\"):
            held += line.rstrip()[:-1] + " "
            continue
        whole = (held + line).strip()
        if whole:
            yield start, whole
        held, start = "", 0
    if held.strip():
        yield start, held.strip()


def _is_path(line: str) -> bool:
    return line.startswith((".", "/", "~")) or (line.endswith(".whl") and " @ " not in line)
