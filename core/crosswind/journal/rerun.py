"""A handler's context over the record of a run: it gives back what was seen, and touches nothing.

What was observed and done is given back in its order. Where the code asks for something else the
run ends there: what the answer would have been, nobody knows. `now`, the fleet and the lock are no
questions to the world; they are answered whenever they are asked, the fleet with the one under
which is replayed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json

from crosswind.actions import Action, Query
from crosswind.context import Context, Joined, Lock
from crosswind.emissions import Branch, Later, Start
from crosswind.engine import emit
from crosswind.engine.turns import Turn
from crosswind.errors import ActionRefused, BoundExceeded, NotDeclared, RunFailed
from crosswind.journal.trace import AMBIENT
from crosswind.records.identity import name_id
from crosswind.records.joins import Answered, Decided
from crosswind.records.record import Entry, Record
from crosswind_events import Codec, Event, EventData

if TYPE_CHECKING:
    from crosswind.engine.settings import Settings
    from crosswind.fleet.declaration import Fleet
    from crosswind.handlers import Handler

R = TypeVar("R", bound="BaseModel")


class Stop(Turn):
    """The rerun ends before the handler does; no `except Exception` of a handler catches it.

    Args:
        why: for people.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Waits(Stop):
    """The recorded run waits here too: its action has no result yet."""


class Unrecorded(Stop):
    """The code asks for something after the end of the record."""


class Departs(Stop):
    """The code asks for something else than the record holds here."""


class Unreadable(Stop):
    """What the record holds as an answer does not fit today's model of it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that was asked of the context: an observation, an action, a question.

    `mode` is that of an action under the fleet of the replay, None where that is not known.
    """

    kind: str
    args: Any
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One thing yielded, the branches to which it belongs, and the time that it would carry."""

    yielded: EventData | Later[Any] | Branch[Any] | Start[Any]
    branches: tuple[tuple[str, str], ...]
    at: datetime


class Rerun(Context):
    """The context of one recorded run.

    Args:
        lock: the lock of the chain, for code that asks for it where the record does not say.
        fleet: under which is replayed; None if there is none.

    Attributes:
        asked: everything substantial that the code has asked for, in order.
        said: what it has yielded.
        finished: whether the handler came to its end.
    """

    def __init__(
        self,
        handler: Handler,
        event: Event[Any],
        record: Record,
        *,
        codec: Codec,
        settings: Settings,
        fleet: Fleet | None,
        lock: Lock | None,
    ) -> None:
        self.chain = record.chain
        self.handler = handler
        self.event = event
        self.record = record
        self.settings = settings
        self.asked: list[Asked] = []
        self._codec = codec
        self._cursor = 0
        self._departed: Departs | Unrecorded | None = None
        self.finished = False
        self.said: list[Said] = []
        self._fleet = fleet
        self._entries = [entry for entry in record.log if entry.kind not in AMBIENT]
        self._times = [float(entry.result) for entry in record.log if entry.kind == "now"]
        self._time = record.began
        self._at = record.began if record.ended is None else record.ended
        locks = [entry.result for entry in record.log if entry.kind == "lock"]
        self._lock = (Lock(*locks[0]) if locks[0] else None) if locks else lock
        extensions = event.extensions
        self._branches = emit.branch_path(extensions) if "branch" in extensions else []

    def run(self) -> None:
        """Call the handler.

        Raises:
            Stop: it ended before the handler did.
            Exception: what the handler raised.
        """
        handler = self.handler
        given = (
            handler.function(self.event, self)
            if handler.wants_context
            else handler.function(self.event)
        )
        if given is None:
            given = ()
        elif isinstance(given, (EventData, Later, Branch, Start)):
            given = (given,)
        for yielded in given:
            if yielded is not None:
                emit.check_declared(handler, yielded)
                at = datetime.fromtimestamp(self._at, UTC)
                self.said.append(Said(yielded, tuple(self._branches), at))
                if len(self.said) > self.settings.events_per_run:
                    raise BoundExceeded(
                        f"{handler.name} emits more than {self.settings.events_per_run} events"
                    )
        self.finished = True
        if self._departed is not None:
            raise self._departed

    def left(self) -> list[Entry]:
        """What the record holds and the code has not asked for."""
        return self._entries[self._cursor :]

    def recorded(self, number: int) -> Entry | None:
        """The entry that answers to the thing asked with this number."""
        return self._entries[number] if number < len(self._entries) else None

    def seen(self) -> list[Entry]:
        """What the record holds and the code has asked for."""
        return self._entries[: self._cursor]

    # -- the context ----------------------------------------------------------------------------

    def now(self) -> datetime:
        if self._times:
            self._time = self._times.pop(0)
        return datetime.fromtimestamp(self._time, UTC)

    def id(self, label: str = "") -> str:
        return name_id("id", self.chain, self.record.run, label)

    @property
    def fleet(self) -> Fleet:
        if self._fleet is None:
            raise RunFailed("no fleet is declared; give one to replay under")
        return self._fleet

    @property
    def lock(self) -> Lock | None:
        return self._lock

    def evidence(self) -> tuple[Event[Any], ...]:
        entry = self._ask("evidence", None)
        return tuple(self._codec.decode(to_json(event)) for event in entry.result)

    def observe(self, query: Query[R]) -> R:
        if type(query) not in self.handler.reads:
            raise NotDeclared(
                f"{self.handler.name} reads {query.kind}; add {type(query).__name__} to reads="
            )
        return self._answered(query, self._ask(f"query:{query.kind}", query))

    def act(self, action: Action[R]) -> R:
        if type(action) not in self.handler.acts:
            raise NotDeclared(
                f"{self.handler.name} does {action.kind}; add {type(action).__name__} to acts="
            )
        entry = self._ask(f"act:{action.kind}", action)
        if entry.refused is not None:
            raise ActionRefused(action.kind, **entry.refused)
        if not entry.done:
            raise Waits(f"{action.kind} has no result yet")
        return self._answered(action, entry)

    def join(self, name: str, member: str, expected: tuple[str, ...], value: Any) -> Joined | None:
        value = from_json(to_json(value))
        entry = self._ask(f"join:{name}", [member, list(expected), value])
        if entry.result is None:
            return None
        return self._joined(name, entry)

    def close_join(self, name: str, expected: tuple[str, ...]) -> Joined:
        return self._joined(name, self._ask(f"close:{name}", list(expected)))

    def settle(self, name: str, outcome: str) -> str:
        """Where the record has no answer the run's own is taken, as if nobody else had answered.

        What it says then shows where it would have led; it asks for nothing more after that.
        """
        try:
            return self._settled(name, outcome)
        except (Departs, Unrecorded) as stop:
            self._departed = self._departed or stop
            return outcome

    def _settled(self, name: str, outcome: str) -> str:
        answer = Answered(**self._ask(f"settle:{name}", outcome).result)
        self._at = answer.at
        return answer.outcome

    def answered(self, name: str) -> str | None:
        answer = self._ask(f"answered:{name}", None).result
        return None if answer is None else str(answer)

    def cancel(self, scope: str) -> None:
        """What was cancelled is not compared; it shows in the timers that came or did not."""

    # -- the record -----------------------------------------------------------------------------

    def _ask(self, kind: str, asked: Any) -> Entry:
        """The next entry of the record, if it is of the same kind and arguments.

        Raises:
            Departs: it is not.
            Unrecorded: the record has none.
        """
        is_model = isinstance(asked, (Action, Query))
        args = asked.model_dump(mode="json") if is_model else asked
        mode = self._mode(asked) if isinstance(asked, Action) else None
        self.asked.append(Asked(kind, args, mode))
        if self._departed is not None:
            raise self._departed
        if self._cursor >= len(self._entries):
            raise Unrecorded(f"it asks for {spoken(kind)}, of which the record holds nothing")
        entry = self._entries[self._cursor]
        recorded = today(type(asked), entry.args) if is_model else entry.args
        if entry.kind != kind:
            raise Departs(
                f"it asks for {spoken(kind)}, where the record holds {spoken(entry.kind)}"
            )
        if recorded != args:
            raise Departs(f"it asks for {spoken(kind)} with other arguments")
        self._cursor += 1
        return entry

    def _mode(self, action: Action[Any]) -> str | None:
        """What the gate would say first; after something only observed all is observed."""
        fleet = self._fleet
        if fleet is None:
            return None
        observed = any(one.mode == "observe" for one in self.asked)
        if observed or "simulated" in self.event.extensions:
            return "observe"
        mode = fleet.mode_for(action.concerns(), action.kind)
        return "propose" if mode == "act" and not action.idempotent else mode

    def _answered(self, asked: Action[R] | Query[R], entry: Entry) -> R:
        try:
            return asked.returns.model_validate_json(to_json(entry.result))  # type: ignore[return-value]  # returns is R's class
        except ValidationError as error:
            raise Unreadable(
                f"the recorded answer of {asked.kind} does not fit {asked.returns.__name__} any "
                f"more: {error.error_count()} fault(s), the first at "
                f"{'.'.join(map(str, error.errors()[0]['loc']))}"
            ) from error

    def _joined(self, name: str, entry: Entry) -> Joined:
        """What follows a join belongs to it, no longer to its branches."""
        for position, (join, _) in enumerate(self._branches):
            if join == name:
                self._branches = self._branches[:position]
                break
        decided = Decided.from_json(entry.result)
        self._at = decided.at
        return decided.joined


_WORDS = {
    "settle": "an answer to",
    "answered": "the answer to",
    "join": "the join",
    "close": "the end of the join",
}


def spoken(kind: str) -> str:
    """A kind of entry for people: questions and joins by their names."""
    family, _, name = kind.partition(":")
    words = {
        "settle": "an answer to",
        "answered": "the answer to",
        "join": "the join",
        "close": "the end of the join",
    }
    return f"{words[family]} {name}" if family in words else kind


def today(model: type[BaseModel], args: Any) -> Any:
    """Recorded arguments as today's model writes them, so that a field added since is no change."""
    try:
        return model.model_validate_json(to_json(args)).model_dump(mode="json")
    except ValidationError:
        return args
