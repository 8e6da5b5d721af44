"""What an adapter says of its cloud: the runtimes, what is there already, limits, the entry.

An adapter exports one `Platform` as `PLATFORM` from its module `package`. Nothing in it decides;
the stages read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from crosswind.packaging.faults import Faults

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet

WARNING_DAYS: Final = 180
"""How long before a runtime is retired it is said."""

OLDEST: Final = (3, 11)
"""What Crosswind itself needs."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """One runtime of a platform.

    Attributes:
        name: as the platform has it, such as `python3.13`.
        python: the version of its interpreter.
        glibc: the version of its C library, which decides what wheels fit.
        retired: the day from which the platform no longer supports it; None where none is set.
    """

    name: str
    python: tuple[int, int]
    glibc: tuple[int, int]
    retired: date | None = None

    @property
    def version(self) -> str:
        """Such as `3.13`."""
        return "{}.{}".format(*self.python)


@dataclass(frozen=True, slots=True)
class Limit:
    """A size that an artifact must not exceed, in bytes; `advice` says what to do about it."""

    what: str
    bytes: int
    advice: str


@dataclass(frozen=True, slots=True)
class Named:
    """Something in a module of the user's, as an entry module gets at it.

    Attributes:
        attribute: its name there, which may have dots.
        factory: whether it is what the attribute returns when it is called.
        single: of performers, whether it is one and no list of them.
    """

    module: str
    attribute: str
    factory: bool = False
    single: bool = False

    @property
    def name(self) -> str:
        """As a person writes it, such as `ops:app`."""
        return f"{self.module}:{self.attribute}"

    def imported(self, alias: str) -> tuple[str, str]:
        """The line that imports it under another name, and the expression that it then is."""
        first, dot, rest = self.attribute.partition(".")
        line = f"from {self.module} import {first} as {alias}"
        found = f"{alias}{dot}{rest}{'()' if self.factory else ''}"
        return line, f"({found},)" if self.single else found


@dataclass(frozen=True, slots=True)
class Entry:
    """What a generated entry module is about.

    Attributes:
        fleet: the file beside it that declares the fleet, as JSON; without one all is observed.
        resources: the file beside it that declares what stands for the fleet in an account.
        group: the one group that it serves; None where the environment says which.
    """

    app: Named
    performers: Named | None = None
    fleet: str | None = None
    group: str | None = None
    resources: str | None = None


@dataclass(frozen=True, slots=True)
class Declared:
    """What a file declares that stands for a fleet in an account, as it goes into an artifact.

    Attributes:
        document: JSON, which needs no library to be read.
        notes: where it does not fit the fleet, which may be meant.
    """

    document: Any
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Aside:
    """Modules of a distribution that it imports only when it is asked for what they do.

    They are left out where everything that can ask is known never to. Who else imports what could
    be asked, or may import anything, may ask.

    Attributes:
        asked: the module of the distribution that is asked, with all below it.
        known: packages of which it is known that they never ask.
        modules: what is left out, with all below them.
    """

    asked: str
    known: frozenset[str]
    modules: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pruning:
    """A distribution of which only those modules are packed that can be reached by imports.

    Attributes:
        versions: for which this was looked at; another one is packed whole.
        lazy: modules that import by computed names only what they also name in statements.
        unneeded: modules that its own code imports only to word a message; they go along where
            anything else imports them.
        asides: modules that are needed by some who use the distribution, and not by others.
        data: data files that are left out, as globs of paths.
    """

    versions: str
    lazy: frozenset[str] = frozenset()
    unneeded: frozenset[str] = frozenset()
    asides: tuple[Aside, ...] = ()
    data: tuple[str, ...] = ()


PRUNING: Final[Mapping[str, Pruning]] = {
    "pydantic": Pruning(
        ">=2.11,<3",
        lazy=frozenset({"pydantic", "pydantic._internal._validators"}),
        # Imported where a class has v1's `__get_validators__`, to tell two warnings apart.
        unneeded=frozenset({"pydantic.v1"}),
    ),
    "crosswind": Pruning(">=0", lazy=frozenset({"crosswind", "crosswind_events"})),
}
"""What is pruned on every platform."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A cloud's way of running functions.

    Attributes:
        cloud: `aws`, `gcp` or `azure`.
        title: for people.
        runtimes: by name, the oldest first.
        architectures: as the platform names them; the first is its own default.
        packages: the adapter's import packages.
        extra: the extra of the distribution `crosswind` that the adapter needs.
        provided: distributions that every runtime has, and what is imported from each.
        limits: by `zipped` and `unzipped`.
        mount: the folder in which the artifact lies when it runs; it stands in tracebacks.
        entry_file, handler: the generated module and what the platform calls.
        entry: writes the generated module.
        read_resources: reads a file that declares what stands for a fleet in an account; raises a
            CrosswindError that names every fault with its line. None where there is no such file.
        environment: variables that a group finds when it runs, for the smoke import.
        pruning: distributions that are pruned on this platform, beside `PRUNING`.
        source: where the vendor says all this.
    """

    cloud: str
    title: str
    runtimes: Mapping[str, Runtime]
    architectures: tuple[str, ...]
    packages: tuple[str, ...]
    extra: str
    provided: Mapping[str, tuple[str, ...]]
    limits: Mapping[str, Limit]
    mount: str
    entry_file: str
    handler: str
    entry: Callable[[Entry], str]
    environment: Callable[[str], Mapping[str, str]] = lambda group: {}
    read_resources: Callable[[Path, Fleet], Declared] | None = None
    pruning: Mapping[str, Pruning] = field(default_factory=dict)
    source: str = ""

    def default_runtime(self, running: tuple[int, int], today: date) -> str:
        """The runtime with the interpreter that runs here, or the newest that is supported."""
        alive = [
            one
            for one in self.runtimes.values()
            if one.python >= OLDEST and (one.retired is None or today < one.retired)
        ]
        return next((one.name for one in alive if one.python == running), alive[-1].name)

    def check_runtime(self, name: str, today: date, faults: Faults) -> Runtime | None:
        """The runtime of this name, with what is wrong with it; None where there is none."""
        alive = [
            one.name
            for one in self.runtimes.values()
            if one.python >= OLDEST and (one.retired is None or today < one.retired)
        ]
        choice = f"choose one of {', '.join(alive)}"
        runtime = self.runtimes.get(name)
        where = f"runtime {name}"
        if runtime is None:
            faults.add("runtime", where, f"{self.title} has no such runtime", choice)
            return None
        if runtime.retired is not None and runtime.retired <= today:
            since = f"{runtime.retired:%Y-%m-%d}"
            problem = f"retired by {self.title} since {since} ({self.source})"
            faults.add("runtime", where, problem, choice)
        if runtime.python < OLDEST:
            needs = "Crosswind needs Python {}.{} or newer".format(*OLDEST)
            faults.add("runtime", where, needs, choice)
        return runtime

    def prunes(self) -> Mapping[str, Pruning]:
        """Everything that is pruned here, by the name of the distribution."""
        return {**PRUNING, **self.pruning}


@dataclass(frozen=True, slots=True)
class Target:
    """What an artifact is made for."""

    platform: Platform
    runtime: Runtime
    architecture: str

    @property
    def machine(self) -> str:
        """The architecture as `platform.machine()` has it on Linux."""
        return {"arm64": "aarch64"}.get(self.architecture, self.architecture)

    @property
    def name(self) -> str:
        """Such as `aws-python3.13-arm64`."""
        return f"{self.platform.cloud}-{self.runtime.name}-{self.architecture}"

    def markers(self) -> dict[str, str]:
        """The environment against which a requirement's markers are evaluated (PEP 508)."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.runtime.version}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.runtime.version}.0",
            "python_version": self.runtime.version,
            "sys_platform": "linux",
        }
