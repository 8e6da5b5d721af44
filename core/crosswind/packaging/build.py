"""From a project to an artifact: every stage in turn, and all that is wrong at once.

Whatever can be looked at before the index is asked is looked at, also where a fault is known; what
needs an artifact waits until there are none.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from crosswind.errors import CrosswindError
from crosswind.packaging import closure
from crosswind.packaging.assembly import APP, FLEET, RESOURCES, Assembly
from crosswind.packaging.collection import Collected, Collector, source_roots
from crosswind.packaging.faults import Faults
from crosswind.packaging.imports import read_imports
from crosswind.packaging.indexes import read_indexes
from crosswind.packaging.interpreters import Interpreter, find_interpreter
from crosswind.packaging.layers import Layer, Module, Shelf, cache_folder
from crosswind.packaging.leaks import check_leaks
from crosswind.packaging.ours import CORE, own_files
from crosswind.packaging.platform import (
    OLDEST,
    WARNING_DAYS,
    Declared,
    Entry,
    Named,
    Platform,
    Target,
)
from crosswind.packaging.project import Project, Rules
from crosswind.packaging.report import Built
from crosswind.packaging.requirements import Wanted, read_wanted
from crosswind.packaging.resolution import OURS, Resolver, Wheel, needs
from crosswind.packaging.supply import Supply
from crosswind.packaging.tools import check_tools
from crosswind.packaging.wheels import Unpacked

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.fleet.declaration import Fleet


class NotLoaded(CrosswindError):
    """An app, its performers or its fleet cannot be loaded; the message says why."""


@dataclass(frozen=True)
class Loaded:
    """What was imported here, and how an entry gets at it.

    Attributes:
        fleet: the fleet that is declared; without one every action is only observed.
    """

    app: App
    named: Named
    performers: Named | None = None
    fleet: Fleet | None = None


@dataclass(frozen=True)
class Request:
    """What is to be made.

    Attributes:
        root: the project.
        app, performers: as `module:attribute`.
        resources: the file that declares what stands for the fleet in an account, if any is.
        group: the one group that the artifact serves; all of them unless given.
        runtime, architecture: the platform's names; its defaults unless given.
        out: the artifact's file, or the folder for it.
        requirements: files; the project's own unless given.
        find_links: folders of wheels.
        offline: take only what is at hand.
        compile: put bytecode beside the sources.
        whole: prune nothing.
        bundle: distributions that are packed though the runtime has them.
        rules: beside those of the project.
        today: against which runtimes are held.
    """

    root: Path
    app: str
    performers: str | None = None
    resources: Path | None = None
    group: str | None = None
    runtime: str | None = None
    architecture: str | None = None
    out: Path = Path("dist")
    requirements: tuple[Path, ...] = ()
    find_links: tuple[Path, ...] = ()
    offline: bool = False
    compile: bool = False
    whole: bool = False
    bundle: frozenset[str] = frozenset()
    rules: Rules = field(default_factory=Rules)
    today: date = field(default_factory=date.today)


Progress = Callable[[str], AbstractContextManager[None]]
"""Shows that something is under way, in words."""


def build(
    request: Request,
    platform: Platform,
    load: Callable[[], Loaded],
    modules: Mapping[str, ModuleType],
    progress: Progress,
) -> Built:
    """Make an artifact, its SBOM and its lock.

    Args:
        load: imports what is asked for; raises `NotLoaded`.
        modules: `sys.modules`, which is read afterwards.

    Raises:
        PackagingFailed: names every fault that was found.
        ToolMissing: uv or a library is not installed.
        IndexUnreachable: wheels cannot be had for now.
        OSError: a file cannot be read or written.
    """
    check_tools()
    with tempfile.TemporaryDirectory(prefix="crosswind-package-") as name:
        return _Build(request, platform, Path(name), progress).run(load, modules)


@dataclass
class _Build:
    request: Request
    platform: Platform
    scratch: Path
    progress: Progress
    faults: Faults = field(default_factory=Faults)
    notes: list[str] = field(default_factory=list)

    def run(self, load: Callable[[], Loaded], modules: Mapping[str, ModuleType]) -> Built:
        project = Project(self.request.root, self.request.rules, self.faults)
        target = self._target()
        loaded = self._loaded(load)
        declared = self._declared(project, loaded)
        module = self.request.app.partition(":")[0]
        named = [one for one in (self.request.app, self.request.performers) if one is not None]
        wanted = read_wanted(project, self.request.requirements, self.faults)
        roots = source_roots(project, module, modules)
        others = frozenset({*CORE, *self.platform.packages})
        collected = Collector(project, roots, self.faults, others).collect(
            [one.partition(":")[0] for one in named], modules
        )
        check_leaks(collected.files, collected.origins, project, self.faults)
        if target is None:
            self.faults.check()
        assert target is not None
        resolver = self._resolver(project, target)
        wheels: tuple[Wheel, ...] = ()
        if target.runtime.python >= OLDEST:
            with self.progress(f"choosing wheels for {target.name}"):
                wheels = resolver.resolve(wanted, self.faults)
        supply = Supply(
            Shelf(cache_folder() / "layers"), self._compiler(target), self.platform.mount
        )
        if loaded is None or not wheels:
            self.faults.check()
        assert loaded is not None
        entry = Entry(
            loaded.named,
            loaded.performers,
            None if loaded.fleet is None else FLEET,
            self.request.group,
            None if declared is None else RESOURCES,
        )
        with self.progress("unpacking and compressing wheels"):
            layers = self._layers(supply, resolver, wheels, wanted, collected)
        self._check_app(module, collected, layers)
        self.notes += closure.check_imports(
            collected.modules, list(layers.values()), self.platform, collected.origins, self.faults
        )
        self.faults.check()
        made = Assembly(
            entry=entry,
            app=loaded.app,
            fleet=loaded.fleet,
            resources=declared,
            layers=self._pruned(layers, entry),
            wheels=wheels,
            resolver=resolver,
            compiler=supply.compiler,
            faults=self.faults,
        )
        with self.progress("writing the artifact, and trying it"):
            built = made.write(self.request.out)
        notes = tuple(dict.fromkeys((*built.notes, *self.notes)))
        return replace(built, notes=notes)

    # -- what is asked for ----------------------------------------------------------------------

    def _target(self) -> Target | None:
        request, platform = self.request, self.platform
        running = (sys.version_info.major, sys.version_info.minor)
        name = request.runtime or platform.default_runtime(running, request.today)
        runtime = platform.check_runtime(name, request.today, self.faults)
        architecture = request.architecture or platform.architectures[0]
        if architecture not in platform.architectures:
            there = " and ".join(platform.architectures)
            problem = f"{platform.title} has no such architecture"
            self.faults.add("runtime", architecture, problem, f"there are {there}")
            return None
        if runtime is None:
            return None
        left = (runtime.retired - request.today).days if runtime.retired else None
        if left is not None and 0 < left <= WARNING_DAYS:
            self.notes.append(f"{name} is retired on {runtime.retired}, in {left} days")
        return Target(platform, runtime, architecture)

    def _loaded(self, load: Callable[[], Loaded]) -> Loaded | None:
        try:
            loaded = load()
        except NotLoaded as error:
            self.faults.add("app", self.request.app, str(error), "mend it")
            return None
        if loaded.fleet is None:
            self.notes.append("no fleet is declared, so that every action is only observed")
        group = self.request.group
        if group is not None and group not in loaded.app.groups:
            there = ", ".join(loaded.app.groups) or "none"
            problem = f"{self.request.app} has no such group"
            self.faults.add("app", f"--group {group}", problem, f"there are {there}")
        return loaded

    def _declared(self, project: Project, loaded: Loaded | None) -> Declared | None:
        """What is declared to stand for the fleet; what looks like a secret in it is a fault."""
        file = self.request.resources
        if file is None:
            return None
        where = f"--resources {file}"
        read = self.platform.read_resources
        if read is None:
            problem = f"{self.platform.title} has nothing that reads it"
            self.faults.add("resources", where, problem, "leave it out")
            return None
        check_leaks({str(file): file.read_bytes()}, {}, project, self.faults)
        if loaded is None:
            return None
        if loaded.fleet is None:
            problem = "stands for a fleet, and none is declared"
            self.faults.add("resources", where, problem, "name the fleet with --fleet")
            return None
        try:
            declared = read(file, loaded.fleet)
        except CrosswindError as error:
            self.faults.add("resources", where, str(error), "mend it")
            return None
        self.notes += [f"{file}: {note}" for note in declared.notes]
        return declared

    def _resolver(self, project: Project, target: Target) -> Resolver:
        indexes = read_indexes(os.environ, project.document, project.root, Path.home())
        request = self.request
        links = tuple(folder.absolute() for folder in request.find_links)
        return Resolver(target, project.root, indexes, links, request.offline, self.scratch)

    def _compiler(self, target: Target) -> Interpreter | None:
        if not self.request.compile:
            return None
        found = find_interpreter(target.runtime.python)
        if found is None:
            version = target.runtime.version
            problem = f"bytecode for {target.runtime.name} is made by Python {version}"
            remedy = f"install that here, such as with `uv python install {version}`, or leave"
            self.faults.add("bytecode", "--compile", problem, f"{remedy} --compile out")
        return found

    # -- what goes in ---------------------------------------------------------------------------

    def _layers(
        self,
        supply: Supply,
        resolver: Resolver,
        wheels: Sequence[Wheel],
        wanted: Wanted,
        collected: Collected,
    ) -> dict[str, Layer]:
        """The layers by the name of their distribution: what is needed, Crosswind, and the app."""
        target = resolver.target
        left = self._left_to_runtime(wanted)
        packed = [wheel for wheel in wheels if wheel.name not in left]
        found = supply.of_wheels(packed, resolver)
        ours, errors = supply.of_files(own_files(self.platform.packages))
        assert not errors, errors
        roots = [one.requirement for one in wanted.asked if not one.constraint]
        roots += needs(distribution(OURS), target)
        kept = closure.needed(roots, found, target.markers())
        layers = {name: layer for name, layer in found.items() if name in kept}
        own = Unpacked(APP, "")
        own.files = dict(collected.files)
        app, errors = supply.of_files(own, collected.modules)
        for path, error in errors.items():
            where = collected.origins.get(path, path)
            version = target.runtime.version
            problem = f"does not compile for Python {version}: {error}"
            self.faults.add("bytecode", where, problem, "mend it")
        self.notes += collected.notes
        for layer in layers.values():
            self.notes += [f"{layer.name}: {note}" for note in layer.notes]
        return {**layers, OURS: ours, APP: app}

    def _left_to_runtime(self, wanted: Wanted) -> set[str]:
        left = set(self.platform.provided) - self.request.bundle
        for one in wanted.asked:
            if one.name in left and one.requirement.specifier and not one.constraint:
                self.notes.append(
                    f"{one.where}: {one.requirement} is left to the runtime, whose version may be "
                    f"another; --bundle {one.name} packs it"
                )
        return left

    def _check_app(self, module: str, collected: Collected, layers: Mapping[str, Layer]) -> None:
        if module in collected.modules:
            return
        if any(module in layer.modules for layer in layers.values()):
            return
        self.faults.add(
            "outside",
            f"--app {self.request.app}",
            f"{module} lies neither in {self.request.root} nor in what is required",
            "run this in the folder of the app, or require the distribution that has it",
        )

    def _pruned(self, layers: Mapping[str, Layer], entry: Entry) -> dict[str, Layer]:
        if self.request.whole:
            return dict(layers)
        prunings = {name: one for name, one in self.platform.prunes().items() if name in layers}
        modules: dict[str, Module] = {}
        source = self.platform.entry(entry).encode()
        seeds = [one.module for one in read_imports(source, "entry", package=False).names]
        for name, layer in layers.items():
            modules.update(layer.modules)
            if name not in prunings:
                seeds += layer.modules
        reach = closure.reached(seeds, modules, prunings.values())
        return {
            name: closure.prune(layer, prunings[name], reach) if name in prunings else layer
            for name, layer in layers.items()
        }
