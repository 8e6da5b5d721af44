"""One attempt at a run: the handler's context, from its call to a durable state.

    call the handler -> [claim, gate, perform]* -> commit

Nothing is written before the first action; a handler without one costs a single write. What the
record holds already is given back instead of being asked again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic_core import from_json, to_json

from crosswind.context import Context, Joined, Lock
from crosswind.emissions import Branch, Later, Start
from crosswind.engine import emit
from crosswind.engine.log import Log
from crosswind.engine.opening import Continuing, Opening
from crosswind.engine.turns import Drop, RunAgain, Suspend
from crosswind.engine.writer import DONE, NOTHING, RunWriter, kept
from crosswind.errors import ActionRefused, BoundExceeded, NotDeclared, Returned
from crosswind.records.identity import EVIDENCE, chain_id, name_id
from crosswind.records.joins import Answered, Decided, Joins
from crosswind.records.record import Outgoing, Record
from crosswind_events import Event, EventData

if TYPE_CHECKING:
    from pydantic import BaseModel

    from crosswind.actions import Action, Query
    from crosswind.engine.runtime import Heard, Runtime
    from crosswind.fleet.declaration import Fleet
    from crosswind.handlers import Handler

R = TypeVar("R", bound="BaseModel")

_TURNS = 16

_EVIDENCE_SHARE = 0.9
"""Of the bytes of an observation: what is recorded is encoded anew, and a little longer."""


class Execution(Context):
    """One handler at work on one event."""

    def __init__(
        self,
        runtime: Runtime,
        handler: Handler,
        event: Event[Any],
        record: Record,
        version: str | None,
        opening: Continuing | None,
    ) -> None:
        self.runtime = runtime
        self.handler = handler
        self.event = event
        self.record = record
        self.chain = record.chain
        self.writer = RunWriter(runtime, record, version, opening)
        self._joins: Joins | None = None
        self._begin()

    def _begin(self) -> None:
        extensions = self.event.extensions
        self.writer.begin()
        self._log = Log(self.record, self.runtime.settings.observation_bytes)
        self._actions = 0
        self._emissions: list[emit.Emission] = []
        self._maker = emit.Maker(self.record.run, self.event.id, int(extensions.get("hop", 0)))
        self._made = 0
        self._branches = emit.branch_path(extensions) if "branch" in extensions else []

    # -- running ------------------------------------------------------------------------------

    def run(self) -> None:
        """Bring the run to a durable state: committed, suspended or dropped.

        Raises:
            Overtaken: another has written the run.
            AdmitAgain: the conditions of its admission no longer hold.
            Returned: it must come again later.
            Exception: what the handler or a performer raised; the attempt has failed.
        """
        for _ in range(_TURNS):
            try:
                self._attempt()
            except Drop as turn:
                self.drop(turn.why)
            except RunAgain:
                self._begin()
                continue
            return
        raise Returned("the chain is contended", self.runtime.settings.wait)

    def _attempt(self) -> None:
        try:
            self._call()
            self._commit()
        except Suspend as turn:
            self.suspend(turn)

    def _call(self) -> None:
        handler = self.handler
        if handler.wants_context:
            given = handler.function(self.event, self)
        else:
            given = handler.function(self.event)
        if isinstance(given, (EventData, Later, Branch, Start)):
            self._emit(given)
        elif given is not None:
            for yielded in given:
                if yielded is not None:
                    self._emit(yielded)
        self._log.check_finished()

    def _emit(self, yielded: Any) -> None:
        emit.check_declared(self.handler, yielded)
        emission = emit.Emission(yielded, self._maker, self._made, self._branches)
        self._emissions.append(emission)
        self._made += 1
        most = self.runtime.settings.events_per_run
        if len(self._emissions) > most:
            raise BoundExceeded(f"{self.handler.name} emitted more than {most} events in one run")

    def _commit(self) -> None:
        record, now = self.record, self.runtime.clock()
        closing = self._outcome()
        before = record.out
        record.out = [*([] if closing else kept(record)), *self._outgoing(closing, now)]
        record.ended, record.until = now, None
        record.settled = not record.out and not record.first
        try:
            self.writer.save("committed", closing)
        except BaseException:  # also a turn of the protocol: the run goes on from what was before
            record.out, record.ended, record.settled = before, None, False
            raise

    def _outgoing(self, closing: str | None, now: float) -> list[Outgoing]:
        inherit: dict[str, str | int | bool] = {}
        if self.record.simulated:
            inherit["simulated"] = True
        if closing is not None:
            inherit["ended"] = closing
        app, settings = self.runtime.app, self.runtime.settings
        return [
            emit.outgoing(app, settings, self.event, self.chain, one, now=now, inherit=inherit)
            for one in self._emissions
        ]

    def _outcome(self) -> str | None:
        """How this run ends its chain, if it does."""
        self.writer.idle = False
        if "ended" in self.event.extensions:
            return None
        for emission in reversed(self._emissions):
            ends = emit.data_of(emission.yielded).ends
            if ends and not isinstance(emission.yielded, Start):
                return str(ends)
        if self._emissions or not self.record.first or self.handler.flight is None:
            return None
        # A chain whose first run decides nothing has no future; a guest ends nobody's chain.
        guest = self.chain != chain_id(self.event.source, self.event.id)
        if guest or self.writer.accompanied or not self._alone():
            return None
        self.writer.idle = True
        return DONE if any(entry.is_action for entry in self.record.log) else NOTHING

    def _alone(self) -> bool:
        """Whether no other handler of the app takes the event that opened this chain."""
        takers = self.runtime.app.by_type.get(self.event.type, ())
        return not any(other.matches(self.event) for other in takers if other is not self.handler)

    def suspend(self, turn: Suspend) -> None:
        """Wait without holding anything; a resume event of the new turn continues the run."""
        record, now = self.record, self.runtime.clock()
        record.turn += 1
        record.until, record.why = turn.until, turn.why
        record.out = [*kept(record), *turn.out, self.resume_event(turn.until, now)]
        record.settled = False
        self.writer.save("suspended")

    def resume_event(self, due: float, now: float) -> Outgoing:
        """The event that continues this run at its present turn."""
        record = self.record
        return emit.resume(
            self.runtime.app,
            handler=record.handler,
            group=record.group,
            chain=record.chain,
            run=record.run,
            turn=record.turn,
            now=now,
            due=due,
        )

    def drop(self, why: str) -> None:
        """Journal that the run was not to be, and emit nothing."""
        record = self.record
        record.why, record.ended, record.until = why, self.runtime.clock(), None
        record.out = kept(record)
        record.settled = not record.out and not record.first
        self.writer.forgo_opening()
        self.writer.save("dropped")

    # -- seeing ---------------------------------------------------------------------------------

    def now(self) -> datetime:
        entry = self._log.recall("now", None)
        if entry is not None:
            return datetime.fromtimestamp(entry.result, UTC)
        seconds = round(self.runtime.clock(), 6)
        self._note("now", None, seconds)
        return datetime.fromtimestamp(seconds, UTC)

    def id(self, label: str = "") -> str:
        return name_id("id", self.chain, self.record.run, label)

    @property
    def fleet(self) -> Fleet:
        entry = self._log.recall("fleet", None)
        if entry is not None:
            return self.runtime.declared(str(entry.result))
        fleet = self.runtime.declared(None)
        self._note("fleet", None, fleet.digest)
        return fleet

    @property
    def lock(self) -> Lock | None:
        entry = self._log.recall("lock", None)
        if entry is not None:
            return None if entry.result is None else Lock(*entry.result)
        if isinstance(self.writer.opening, Opening):
            lock = self.writer.opening.head.lock
        else:
            head = self.writer.read_head()
            lock = None if head is None else head[0].lock
        self._note("lock", None, None if lock is None else [lock.flight, lock.target, lock.epoch])
        return lock

    def evidence(self) -> tuple[Event[Any], ...]:
        codec = self.runtime.app.codec
        entry = self._log.recall("evidence", None)
        if entry is not None:
            return tuple(codec.decode(to_json(event)) for event in entry.result)
        # The head first: what is said to the chain after it was seen moves it.
        self.writer.witness_head()
        items = self.runtime.ledger.scan(self.writer.partition, EVIDENCE)
        said = {item.key: item.value for item in items}
        if self.record.first:
            said.setdefault(EVIDENCE + self.record.run, self.record.event)
        heard = self.runtime.heard
        pieces = weighable(
            [(heard(body), len(body)) for body in said.values()],
            self.runtime.settings.evidence,
            self.runtime.settings.observation_bytes,
        )
        self._note("evidence", None, [piece.recorded for piece in pieces])
        return tuple(piece.event for piece in pieces)

    def observe(self, query: Query[R]) -> R:
        if type(query) not in self.handler.reads:
            raise NotDeclared(
                f"{self.handler.name} reads {query.kind}; add {type(query).__name__} to reads="
            )
        kind, args = f"query:{query.kind}", query.model_dump(mode="json")
        entry = self._log.recall(kind, args)
        if entry is not None:
            return query.returns.model_validate_json(to_json(entry.result))  # type: ignore[return-value]  # returns is R's class
        from crosswind.engine.acting import check_returned

        answer = self.runtime.answerer(query).answer(query, self.writer.time_left())
        check_returned(query, answer)
        self._note(kind, args, answer.model_dump(mode="json"))
        return answer  # type: ignore[no-any-return]  # checked against query.returns above

    def _note(self, kind: str, args: Any, result: Any) -> None:
        self._log.note(kind, args, result, self.runtime.clock())

    # -- deciding together ------------------------------------------------------------------------

    @property
    def joins(self) -> Joins:
        """The joins and questions of this chain."""
        if self._joins is None:
            clock = self.runtime.clock
            expires = self.runtime.expires(clock())
            self._joins = Joins(self.runtime.ledger, self.chain, clock, expires)
        return self._joins

    def join(self, name: str, member: str, expected: tuple[str, ...], value: Any) -> Joined | None:
        value = from_json(to_json(value))
        kind, args = f"join:{name}", [member, list(expected), value]
        entry = self._log.recall(kind, args)
        if entry is not None:
            decided = None if entry.result is None else Decided.from_json(entry.result)
        else:
            decided = self.joins.arrive(name, member, expected, value, self._maker.hop)
            self._note(kind, args, None if decided is None else decided.as_json())
        return None if decided is None else self._made_by_join(name, decided)

    def close_join(self, name: str, expected: tuple[str, ...]) -> Joined:
        kind, args = f"close:{name}", list(expected)
        entry = self._log.recall(kind, args)
        if entry is not None:
            decided = Decided.from_json(entry.result)
        else:
            decided = self.joins.close(name, expected, self._maker.hop)
            self._note(kind, args, decided.as_json())
        return self._made_by_join(name, decided)

    def settle(self, name: str, outcome: str) -> str:
        entry = self._log.recall(f"settle:{name}", outcome)
        if entry is not None:
            answer = Answered(**entry.result)
        else:
            answer = self.joins.settle(name, outcome, self._maker.hop)
            self._note(f"settle:{name}", outcome, answer._asdict())
        cause = name_id("settled", self.chain, name)
        self._made_by(emit.Maker(f"settled:{name}", cause, answer.hop, answer.at))
        return answer.outcome

    def answered(self, name: str) -> str | None:
        entry = self._log.recall(f"answered:{name}", None)
        if entry is not None:
            return None if entry.result is None else str(entry.result)
        answer = self.joins.settled(name)
        self._note(f"answered:{name}", None, None if answer is None else answer.outcome)
        return None if answer is None else answer.outcome

    def cancel(self, scope: str) -> None:
        self.writer.cancel(scope)

    def _made_by_join(self, name: str, decided: Decided) -> Joined:
        """From here on events are made by the join, and no longer belong to its branches."""
        cause = name_id("join", self.chain, name)
        self._made_by(emit.Maker(f"join:{name}", cause, decided.hop, decided.at))
        joins = [join for join, _ in self._branches]
        if name in joins:
            self._branches = self._branches[: joins.index(name)]
        return decided.joined

    def _made_by(self, maker: emit.Maker) -> None:
        self._maker, self._made = maker, 0

    # -- acting -----------------------------------------------------------------------------------

    def act(self, action: Action[R]) -> R:
        if type(action) not in self.handler.acts:
            raise NotDeclared(
                f"{self.handler.name} does {action.kind}; add {type(action).__name__} to acts="
            )
        index, self._actions = self._actions, self._actions + 1
        args = action.model_dump(mode="json")
        entry = self._log.recall(f"act:{action.kind}", args)
        if entry is not None and entry.refused is not None:
            raise ActionRefused(action.kind, **entry.refused)
        if entry is not None and entry.done:
            return action.returns.model_validate_json(to_json(entry.result))  # type: ignore[return-value]  # returns is R's class
        from crosswind.engine.acting import Acting

        acting = Acting(self.writer, self.event)
        if entry is None:
            entry = acting.claim(action, args, self._log)
        return acting.take(action, entry, index, self._maker.hop, self._log, self.joins)  # type: ignore[no-any-return]  # checked against action.returns


def weighable(said: list[tuple[Heard, int]], most: int, size: int) -> tuple[Heard, ...]:
    """What is weighed where more was said than can be recorded, oldest first.

    Each source's last word goes before what any source has said earlier; then the newest go first.

    Args:
        said: events with their sizes in bytes.
        most: how many.
        size: bytes of all together.
    """
    said.sort(key=lambda piece: _when(piece[0]), reverse=True)
    sources: set[str] = set()
    last: list[tuple[Heard, int]] = []
    earlier: list[tuple[Heard, int]] = []
    for piece in said:
        source = piece[0].event.source
        (earlier if source in sources else last).append(piece)
        sources.add(source)
    chosen: list[Heard] = []
    left = size * _EVIDENCE_SHARE
    for heard, length in (*last, *earlier)[:most]:
        if length > left:
            break
        chosen.append(heard)
        left -= length
    return tuple(sorted(chosen, key=_when))


def _when(heard: Heard) -> tuple[datetime, str]:
    return heard.event.time, heard.event.id
