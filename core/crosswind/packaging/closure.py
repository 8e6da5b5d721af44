"""Which modules of an artifact can be reached, and what is left out because it cannot.

Only distributions of which it is known that their imports can be read are pruned (`Pruning`); all
others are packed whole.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from crosswind.packaging.faults import Faults
from crosswind.packaging.imports import Import
from crosswind.packaging.layers import Layer, Module
from crosswind.packaging.platform import Aside, Platform, Pruning

if TYPE_CHECKING:
    from packaging.requirements import Requirement


def needed(
    roots: Iterable[Requirement], layers: Mapping[str, Layer], markers: Mapping[str, str]
) -> set[str]:
    """The distributions that are needed by requirements, and by those of what they name.

    What the platform provides has no layer, and so nothing that it alone needs is needed.
    """
    from packaging.utils import canonicalize_name

    seen: dict[str, set[str]] = {}
    todo = list(roots)
    while todo:
        one = todo.pop()
        name = canonicalize_name(one.name)
        layer = layers.get(name)
        if layer is None:
            continue
        fresh = {"", *one.extras} - seen.setdefault(name, set())
        seen[name] |= fresh
        for extra in fresh:
            todo += depends(layer, markers, extra)
    return set(seen)


def depends(layer: Layer, markers: Mapping[str, str], extra: str = "") -> tuple[Requirement, ...]:
    """What a distribution needs on a target, with one of its extras or none."""
    from packaging.requirements import Requirement

    several = (Requirement(line) for line in layer.requires)
    environment = {**markers, "extra": extra}
    return tuple(one for one in several if one.marker is None or one.marker.evaluate(environment))


def reached(
    roots: Iterable[str], modules: Mapping[str, Module], prunings: Iterable[Pruning]
) -> set[str]:
    """The modules that can be reached by imports from others."""
    several, first = tuple(prunings), tuple(roots)
    lazy = frozenset[str]().union(*(one.lazy for one in several))
    unneeded = frozenset[str]().union(*(one.unneeded for one in several))
    found = _walk(first, modules, lazy, unneeded)
    asides = [
        aside
        for one in several
        for aside in one.asides
        if not any(_may_ask(name, modules[name], aside, lazy) for name in found)
    ]
    if not asides:
        return found
    return _walk(first, modules, lazy, unneeded.union(*(one.modules for one in asides)))


def _may_ask(name: str, module: Module, aside: Aside, lazy: frozenset[str]) -> bool:
    """Whether a module may have a distribution import what stands aside."""
    if name.partition(".")[0] in {aside.asked.partition(".")[0], *aside.known}:
        return False
    if module.imports.open and name not in lazy:
        return True
    return any(_is_within(one.module, aside.asked) for one in module.imports.names)


def _walk(
    roots: Iterable[str],
    modules: Mapping[str, Module],
    lazy: frozenset[str],
    unneeded: frozenset[str],
) -> set[str]:
    seen: set[str] = set()
    todo = list(roots)
    while todo:
        name = todo.pop()
        module = modules.get(name)
        if name in seen or module is None:
            continue
        seen.add(name)
        if "." in name:
            todo.append(name.rpartition(".")[0])
        todo += [
            one.module for one in module.imports.names if not _is_idle(name, one.module, unneeded)
        ]
        if module.imports.open and name not in lazy:
            below = f"{name if module.package else name.rpartition('.')[0]}."
            todo += [other for other in modules if other.startswith(below)]
    return seen


def _is_idle(module: str, imported: str, unneeded: frozenset[str]) -> bool:
    """Whether a distribution's own code imports what it can do without."""
    for name in unneeded:
        if _is_within(imported, name):
            return module.partition(".")[0] == name.partition(".")[0]
    return False


def _is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def prune(layer: Layer, pruning: Pruning, reach: set[str]) -> Layer:
    """A layer without the modules that are not reached, and without the data beside only these."""
    from packaging.specifiers import SpecifierSet

    if not SpecifierSet(pruning.versions).contains(layer.version, prereleases=True):
        return layer
    paths = {module.path: name in reach for name, module in layer.modules.items()}
    folders: dict[str, bool] = {}
    for path, kept_too in paths.items():
        folder = path.rpartition("/")[0]
        folders[folder] = folders.get(folder, False) or kept_too
    members = tuple(
        member
        for member in layer.members
        if paths.get(member.path, _goes_along(member.path, folders, pruning))
    )
    kept = {member.path for member in members}
    left = sum(member.size for member in layer.members if member.path not in kept)
    return replace(
        layer,
        members=members,
        bytecode={source: one for source, one in layer.bytecode.items() if source in kept},
        left_out={**layer.left_out, **({"unreached": left} if left else {})},
    )


def _goes_along(path: str, folders: Mapping[str, bool], pruning: Pruning) -> bool:
    """Whether a data file is packed: where the package that it belongs to is reached."""
    if ".dist-info/" in path:
        return True
    if any(fnmatch(path, pattern) for pattern in pruning.data):
        return False
    folder = path.rpartition("/")[0]
    while folder and folder not in folders:
        folder = folder.rpartition("/")[0]
    return folders.get(folder, False)


def check_imports(
    modules: Mapping[str, Module],
    layers: Sequence[Layer],
    platform: Platform,
    origins: Mapping[str, str],
    faults: Faults,
) -> list[str]:
    """See that something brings every module that the app imports.

    Returns:
        Notes on what is imported only now and then, and may be meant to be missing.
    """
    known = {name.partition(".")[0] for layer in layers for name in layer.modules}
    known |= {name.partition(".")[0] for name in modules} | set(sys.stdlib_module_names)
    known |= {name for names in platform.provided.values() for name in names}
    known |= {path.partition("/")[0] for layer in layers for path in _paths(layer)}
    notes: list[str] = []
    for module in modules.values():
        for one in module.imports.names:
            top = one.module.partition(".")[0]
            if not one.sure or not top or top in known or one.when == "optional":
                continue
            where = f"{origins.get(module.path, module.path)}:{one.line}"
            _missing(one, top, where, platform, faults, notes)
    return list(dict.fromkeys(notes))


def _missing(
    one: Import, top: str, where: str, platform: Platform, faults: Faults, notes: list[str]
) -> None:
    problem = f"imports {top}, which no requirement and no runtime of {platform.title} brings"
    if one.when == "always":
        faults.add("import", where, problem, "add it to the requirements")
    else:
        notes.append(f"{where}: {problem}")


def _paths(layer: Layer) -> Iterable[str]:
    return (member.path for member in layer.members if ".dist-info/" not in member.path)
