"""The built-in event types, one module per subject; each lists its own in `TYPES`.

`CATALOGUE` holds them all. It is collected on first use, so that a module of this package can be
had without the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crosswind_events.data import EventData

    CATALOGUE: tuple[type[EventData], ...]
else:
    # Not for a type checker, which would take any name for one of this module.
    def __getattr__(name: str) -> Any:
        if name != "CATALOGUE":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        modules = (import_module(f".{module}", __name__) for module in MODULES)
        catalogue = tuple(each for module in modules for each in module.TYPES)
        globals()["CATALOGUE"] = catalogue
        return catalogue


# In the order of a story: seen, decided, done, asked, failed.
MODULES = (
    "region",
    "anomaly",
    "failover",
    "recovery",
    "capacity",
    "traffic",
    "probe",
    "drift",
    "fleet",
    "approval",
    "incident",
    "chain",
    "deadletter",
    "schedule",
)
