"""The app's own code: every module that it reaches, and the data beside them.

Modules are found from the app's module by reading imports, and added to them is what importing the
app has loaded, which finds what is imported by computed names. A file goes into the artifact under
its dotted name, so that a project with a `src` folder needs no setting.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Final

from crosswind.packaging.faults import Faults
from crosswind.packaging.imports import Imports, read_imports
from crosswind.packaging.layers import Module
from crosswind.packaging.project import Project

LARGE_DATA: Final = 10 << 20
"""Bytes from which a data file is pointed out."""


@dataclass
class Collected:
    """What a project brings.

    Attributes:
        files: contents by the path in the artifact.
        origins: the file of each, as a person knows it.
        modules: by dotted name.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    modules: dict[str, Module] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Collector:
    """Collects an app.

    Args:
        project: where it lies.
        roots: folders from which its modules are imported, the first that has one wins.
        faults: is told what cannot be packed.
        others: packages that are packed as they are installed, also where they lie in the project.
    """

    project: Project
    roots: Sequence[Path]
    faults: Faults
    others: frozenset[str] = frozenset()

    def collect(self, modules: Sequence[str], loaded: Mapping[str, ModuleType]) -> Collected:
        """Collect what some modules need.

        Args:
            modules: that hold the app, and what goes with it.
            loaded: `sys.modules` after they were imported.
        """
        found = Collected()
        self._follow([*modules, *self._loaded(loaded)], found)
        folders = {str(Path(one.path).parent) for one in found.modules.values() if "/" in one.path}
        for root in self.roots:
            for folder in sorted(folders):
                self._data(root, folder, found)
        for file in self._included(found):
            found.notes.append(f"{file} is packed because `include` names it")
        return found

    def _loaded(self, loaded: Mapping[str, ModuleType]) -> Iterator[str]:
        for name, module in list(loaded.items()):
            file = getattr(module, "__file__", None)
            if file is not None and self._find(name) == _settled(Path(file)):
                yield name

    def _follow(self, names: list[str], found: Collected) -> None:
        todo, seen = names, set[str]()
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            file = self._find(name)
            if file is None:
                continue
            if "." in name:
                todo.append(name.rpartition(".")[0])
            module = self._module(name, file, found)
            if module is not None:
                found.modules[name] = module
                todo += [one.module for one in module.imports.names]

    def _find(self, name: str) -> Path | None:
        parts = name.split(".")
        if parts[0] in self.others or not all(part.isidentifier() for part in parts):
            return None
        for root in self.roots:
            base = root.joinpath(*parts)
            for file in (base / "__init__.py", base.with_name(f"{base.name}.py")):
                if file.is_file():
                    return file
        return None

    def _module(self, name: str, file: Path, found: Collected) -> Module | None:
        package = file.name == "__init__.py"
        path = name.replace(".", "/") + ("/__init__.py" if package else ".py")
        shown = self.project.relative(file)
        if self.project.excludes_module(file):
            problem = f"`exclude` leaves it out, and the app imports {name}"
            self.faults.add("import", shown, problem, "take it out of `exclude`")
            return None
        content = self._content(file, shown)
        if content is None:
            return None
        imports = Imports()
        try:
            imports = read_imports(content, name, package=package)
        except (SyntaxError, ValueError) as error:
            self.faults.add("app", shown, f"is no Python: {error}", "mend it")
        found.files[path], found.origins[path] = content, shown
        return Module(path, package, imports)

    def _data(self, root: Path, folder: str, found: Collected) -> None:
        """Files beside modules and in folders below that hold no modules of their own."""
        base = root / folder
        if not base.is_dir():
            return
        for file in sorted(base.rglob("*")):
            path = file.relative_to(root).as_posix()
            if path in found.files or not file.is_file() or not self.project.is_data(file):
                continue
            if file.suffix == ".py" or not self._belongs(base, file):
                continue
            self._add(file, path, found)

    def _belongs(self, base: Path, file: Path) -> bool:
        between = file.parent
        while between != base:
            if (between / "__init__.py").exists():
                return False
            between = between.parent
        return True

    def _included(self, found: Collected) -> Iterator[str]:
        try:
            files = list(self.project.included())
        except ValueError as error:
            self.faults.add("settings", "include", str(error), "package in the app's own folder")
            return
        for file in files:
            root = next((one for one in self.roots if file.is_relative_to(one)), None)
            path = file.relative_to(root or self.project.root).as_posix()
            if path not in found.files and self._add(file, path, found):
                yield self.project.relative(file)

    def _add(self, file: Path, path: str, found: Collected) -> bool:
        shown = self.project.relative(file)
        content = self._content(file, shown)
        if content is None:
            return False
        if len(content) > LARGE_DATA:
            found.notes.append(f"{shown} has {len(content) / 1e6:.0f} MB; `exclude` leaves it out")
        found.files[path], found.origins[path] = content, shown
        return True

    def _content(self, file: Path, shown: str) -> bytes | None:
        if not self.project.holds(file):
            problem = f"leads to {file.resolve()}, outside of the project"
            self.faults.add("outside", shown, problem, "copy it, or leave it out with `exclude`")
            return None
        return file.read_bytes()


def source_roots(project: Project, module: str, loaded: Mapping[str, ModuleType]) -> list[Path]:
    """The folders of the project from which modules are imported: the app's own first.

    Those on `sys.path` count where they lie in the project and are no environment.
    """
    roots: list[Path] = []
    file = getattr(loaded.get(module), "__file__", None)
    if file is not None and project.holds(Path(file)):
        depth = module.count(".") + (Path(file).name == "__init__.py")
        roots.append(_settled(Path(file)).parents[depth])
    roots.append(project.root)
    for entry in sys.path:
        folder = Path(entry or ".").resolve()
        inside = folder.is_dir() and folder.is_relative_to(project.root)
        if inside and not _in_environment(folder, project.root):
            roots.append(folder)
    return list(dict.fromkeys(roots))


def _settled(file: Path) -> Path:
    """A file by the real path of its folder; where it is a link itself it stays one."""
    return file.parent.resolve() / file.name


def _in_environment(folder: Path, root: Path) -> bool:
    return any(
        (one / "pyvenv.cfg").exists()
        for one in (folder, *folder.parents)
        if one.is_relative_to(root)
    )
