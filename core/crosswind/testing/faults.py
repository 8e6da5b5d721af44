"""What can happen to a call of a store, a bus or a performer, and when it is to happen.

| fault          | was it done?       | what the caller sees          |
|----------------|--------------------|-------------------------------|
| `none`         | yes                | the answer                    |
| `throttled`    | no; a bus: in part | that it is asked for patience |
| `lost`         | no                 | no answer                     |
| `unanswered`   | yes                | no answer                     |
| `late`         | not yet            | no answer                     |
| `killed`       | no                 | nothing: the process is gone  |
| `killed-after` | yes                | nothing: the process is gone  |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, Protocol, TypeVar, get_args

from crosswind.errors import DeclarationError

T = TypeVar("T")

Fault = Literal["none", "throttled", "lost", "unanswered", "late", "killed", "killed-after"]

FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)


class Killed(BaseException):
    """The process is gone: unwinds it past every handler of exceptions."""


class PortCall(NamedTuple):
    """One call of a port.

    Attributes:
        port: which.
        method: of the port, such as `write` or `perform`.
        about: what it is about: partition and keys, message ids, or the kind of an action.
        changes: whether it changes anything; a query or a read does not.
    """

    port: Literal["store", "bus", "performer"]
    method: str
    about: str
    changes: bool

    def __str__(self) -> str:
        return f"{self.port}.{self.method}({self.about})"


class Faults(Protocol):
    """Decides on every call of a port."""

    def meet(self, call: PortCall) -> Fault:
        """What happens to this call."""
        ...

    def hold(self, call: PortCall, effect: Callable[[], object]) -> None:
        """Keep an effect that is late; whoever keeps it decides when it lands."""
        ...


@dataclass(frozen=True, slots=True)
class On:
    """Which calls meet a fault.

    Args:
        method: of the port: `read`, `scan`, `write`, `publish`, `perform`, `answer`.
        nth: the first such call that it happens to, from 1.
        fault: what happens.
        times: to how many in a row.
        about: part of what the call is about; any unless given.
    """

    method: str
    nth: int = 1
    fault: Fault = "unanswered"
    times: int = 1
    about: str = ""

    def __post_init__(self) -> None:
        if self.fault not in FAULTS:
            raise DeclarationError(f"there is no fault {self.fault!r}; take one of {FAULTS}")
        if self.nth < 1 or self.times < 1:
            raise DeclarationError("nth and times count from 1")

    def means(self, call: PortCall) -> bool:
        """Whether it is about such calls."""
        return call.method == self.method and self.about in str(call)


class FaultPlan:
    """Faults by the number of the call; the first rule that applies decides.

    `calls` are all calls that were met, `held` what is late and has not landed.
    """

    def __init__(self, *rules: On) -> None:
        self.calls: list[PortCall] = []
        self.held: list[Callable[[], object]] = []
        self._rules = rules
        self._seen = dict.fromkeys(range(len(rules)), 0)

    def meet(self, call: PortCall) -> Fault:
        """See `Faults.meet`."""
        self.calls.append(call)
        decided: Fault = "none"
        for number, rule in enumerate(self._rules):
            if not rule.means(call):
                continue
            self._seen[number] += 1
            due = rule.nth <= self._seen[number] < rule.nth + rule.times
            if due and decided == "none":
                decided = rule.fault
        return decided

    def hold(self, call: PortCall, effect: Callable[[], object]) -> None:
        """See `Faults.hold`."""
        self.held.append(effect)

    def land(self) -> int:
        """Let everything land that is late; returns how many effects it was.

        Nobody hears what comes of it, as nobody would.
        """
        landed, self.held = self.held, []
        for effect in landed:
            unheard(effect)
        return len(landed)


def meet(
    faults: Faults,
    call: PortCall,
    effect: Callable[[], T],
    unanswered: Callable[[], Exception],
    throttled: Callable[[], Exception],
) -> T:
    """Make a call, or let happen to it what the faults say.

    Args:
        unanswered: the error that tells the caller that no answer came.
        throttled: the error that asks the caller for patience; it does what is done in part.
    """
    match faults.meet(call):
        case "none":
            return effect()
        case "throttled":
            raise throttled()
        case "lost":
            raise unanswered()
        case "unanswered":
            unheard(effect)
            raise unanswered()
        case "late":
            if call.changes:
                faults.hold(call, effect)
            raise unanswered()
        case "killed":
            raise Killed(f"killed before {call}")
        case "killed-after":
            unheard(effect)
            raise Killed(f"killed after {call}")


def unheard(effect: Callable[[], object]) -> None:
    """Do something whose answer, an error too, reaches nobody."""
    try:
        effect()
    except Exception:  # noqa: BLE001, S110 - the caller has gone away, as the fault demands
        pass
