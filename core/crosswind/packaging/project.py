"""The folder that is packaged: its rules, and where its modules lie.

Rules stand in `pyproject.toml`:

    [tool.crosswind.package]
    include = ["ops/plugins/*.py"]      # packed though nothing imports or names it
    exclude = ["ops/samples/"]          # never packed
    not-secret = ["ops/certs/*.pem"]    # looks like a secret and is none

Patterns are those of .gitignore. Data that `.gitignore` or `.crosswindignore` names is not packed;
a module that the app imports is, whatever they say, for the app would fail without it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from crosswind.packaging.faults import Faults

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILES: Final = (".gitignore", ".crosswindignore")

_KEYS: Final = ("include", "exclude", "not-secret")
_NEVER: Final = (
    "__pycache__/",
    "*.py[cod]",
    ".*",
    "tests/",
    "test/",
    "*.egg-info/",
    "*.so",
    "*.pyd",
)
"""What is no data of an app: caches, hidden files, tests, what was built for this machine."""

_MOST_FILES: Final = 50_000


@dataclass(frozen=True)
class Rules:
    """What a project says of what is packed; patterns as in .gitignore."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    not_secret: tuple[str, ...] = ()

    def with_more(self, other: Rules) -> Rules:
        """These, and those of the command line."""
        return Rules(
            self.include + other.include,
            self.exclude + other.exclude,
            self.not_secret + other.not_secret,
        )


class Project:
    """A folder to package.

    Args:
        root: the folder.
        more: rules beside those of its `pyproject.toml`.
        faults: is told what is wrong with these.
    """

    def __init__(self, root: Path, more: Rules, faults: Faults) -> None:
        self.root = root.resolve()
        self.document = _document(self.root / "pyproject.toml", faults)
        self.rules = _rules(self.document, faults).with_more(more)

    @cached_property
    def _data_left_out(self) -> GitIgnoreSpec:
        lines: list[str] = [*_NEVER]
        for name in IGNORE_FILES:
            file = self.root / name
            if file.is_file():
                lines += file.read_text(encoding="utf-8").splitlines()
        return _spec([*lines, *self.rules.exclude])

    @cached_property
    def _modules_left_out(self) -> GitIgnoreSpec:
        return _spec(self.rules.exclude)

    @cached_property
    def _named(self) -> GitIgnoreSpec:
        return _spec(self.rules.include)

    @cached_property
    def _harmless(self) -> GitIgnoreSpec:
        return _spec(self.rules.not_secret)

    def relative(self, file: Path) -> str:
        """A path as the rules and messages have it."""
        return file.relative_to(self.root).as_posix()

    def holds(self, file: Path) -> bool:
        """Whether a file lies in this folder, wherever links lead."""
        return file.resolve().is_relative_to(self.root)

    def excludes_module(self, file: Path) -> bool:
        """Whether a module must not be packed, though it is imported."""
        return self._modules_left_out.match_file(self.relative(file))

    def is_data(self, file: Path) -> bool:
        """Whether a file beside a packed module goes along."""
        return not self._data_left_out.match_file(self.relative(file))

    def is_harmless(self, path: str) -> bool:
        """Whether the project says that what looks like a secret in a file is none."""
        return self._harmless.match_file(path)

    def included(self) -> Iterator[Path]:
        """Files that are packed because the rules name them."""
        if not self.rules.include:
            return
        for file in files_below(self.root):
            path = self.relative(file)
            if self._named.match_file(path) and not self._modules_left_out.match_file(path):
                yield file


def files_below(folder: Path) -> Iterator[Path]:
    """Files of a folder in a fixed order, without those of virtual environments and caches.

    Raises:
        ValueError: there are more than 50,000, so that it is hardly the folder that was meant.
    """
    count = 0
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if name not in {".git", "__pycache__", "node_modules"}
            and not os.path.lexists(os.path.join(parent, name, "pyvenv.cfg"))
        )
        for name in sorted(files):
            count += 1
            if count > _MOST_FILES:
                raise ValueError(f"{folder} holds more than {_MOST_FILES:,} files")
            yield Path(parent, name)


def _spec(lines: Iterable[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(lines)


def _document(file: Path, faults: Faults) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.add("settings", file.name, f"is no TOML: {error}", "mend it")
        return {}


def _rules(document: dict[str, Any], faults: Faults) -> Rules:
    table = document.get("tool", {}).get("crosswind", {}).get("package", {})
    where = "pyproject.toml: [tool.crosswind.package]"
    if not isinstance(table, dict):
        faults.add("settings", where, "is no table", f"write {', '.join(_KEYS)} below it")
        return Rules()
    for key in table.keys() - set(_KEYS):
        faults.add("settings", where, f"has no setting {key}", f"there are {', '.join(_KEYS)}")
    include, exclude, harmless = (_patterns(table, key, where, faults) for key in _KEYS)
    return Rules(include, exclude, harmless)


def _patterns(table: dict[str, Any], key: str, where: str, faults: Faults) -> tuple[str, ...]:
    value: Sequence[Any] = table.get(key, ())
    if isinstance(value, str) or not all(isinstance(one, str) for one in value):
        faults.add("settings", where, f"{key} is no list of patterns", f'write {key} = ["..."]')
        return ()
    return tuple(value)
