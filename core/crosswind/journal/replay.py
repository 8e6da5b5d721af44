"""Replay: what today's code and today's fleet would decide on what a chain saw then.

Each recorded run is replayed by itself, with the event, the observations and the results of
actions that it had. So a decision that would differ shows where it is made, and the runs after it
are still judged by what they were given.

| verdict   | meaning                                                                        |
|-----------|--------------------------------------------------------------------------------|
| same      | it asks, does and says the same                                                |
| differs   | it asks, does, says or ends something else, or would not run, or runs newly    |
| unknown   | the record does not hold enough to tell: a failed attempt forgets what it saw  |
| skipped   | the handler was never called, or is the engine's own                           |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from crosswind.engine.deadlines import HANDLER as DEADLINE_HANDLER
from crosswind.engine.failures import describe
from crosswind.engine.settings import Settings
from crosswind.journal.chain import Chain, Run
from crosswind.journal.comparison import (
    Story,
    difference,
    joined,
    recorded_asks,
    recorded_end,
    rerun_asks,
    rerun_end,
    without_modes,
)
from crosswind.journal.deliveries import Deliveries, takers
from crosswind.journal.rerun import Rerun, Stop, Unreadable, Unrecorded, Waits
from crosswind.records.identity import run_key
from crosswind.records.record import Record
from crosswind_events import InvalidEvent

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.fleet.declaration import Fleet
    from crosswind.handlers import Handler

_DECIDED = frozenset({"committed", "failed", "retrying"})

Verdict = Literal["same", "differs", "unknown", "skipped"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """One run, replayed.

    Attributes:
        why: what differs or cannot be told, in a sentence.
        difference: unified diff between what is recorded and what would be today.
    """

    run: str
    handler: str
    event: str
    verdict: Verdict
    why: str = ""
    difference: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Replay:
    """All runs of a chain, replayed."""

    chain: str
    runs: tuple[Replayed, ...]

    @property
    def differs(self) -> bool:
        """Whether anything would be decided otherwise."""
        return any(run.verdict == "differs" for run in self.runs)


def replay_chain(
    chain: Chain,
    app: App,
    fleet: Fleet | None,
    *,
    run: str | None = None,
    recorded: Mapping[str, Fleet] | None = None,
    settings: Settings | None = None,
) -> Replay:
    """Run recorded runs through the handlers of an app, under a fleet.

    Nothing is written, published, asked or done.

    Args:
        run: only this one, by the beginning of its key.
        recorded: fleets by digest; where given, each run is replayed under the one of then.
        settings: bounds; those of the app, or the defaults, unless given.
    """
    player = _Player(chain, app, fleet, recorded, settings or app.settings or Settings())
    chosen = [one for one in chain.runs if run is None or one.key.startswith(run)]
    replayed = [player.replay(one) for one in chosen]
    if run is None:
        replayed += player.newcomers()
    return Replay(chain.id, tuple(replayed))


@dataclass(frozen=True, slots=True)
class _Player:
    chain: Chain
    app: App
    fleet: Fleet | None
    recorded: Mapping[str, Fleet] | None
    settings: Settings

    def replay(self, run: Run) -> Replayed:
        record = run.record
        if record.handler == DEADLINE_HANDLER:
            return self._verdict(run, "skipped", "the engine's own")
        if record.state == "dropped" and not record.log:
            return self._verdict(run, "skipped", f"it was dropped: {record.why}")
        handler = self.app.handler(record.handler)
        if handler is None:
            return self._verdict(run, "differs", f"no handler of {self.app.name} has its name")
        try:
            event = self.app.codec.decode(record.event)
        except InvalidEvent as invalid:
            return self._verdict(run, "differs", f"its event would be refused: {invalid}")
        if handler not in self.app.by_type.get(event.type, ()) or not handler.matches(event):
            return self._verdict(run, "differs", "the handler does not take its event any more")
        return self._compare(run, handler, self._rerun(handler, event, record))

    def newcomers(self) -> list[Replayed]:
        """Handlers that take an event of the chain today and did not then."""
        known = {run.key for run in self.chain.runs}
        found: list[Replayed] = []
        for body, source, identity, kind in self._worked_events():
            for handler in takers(self.app, body):
                key = run_key(handler.key_name, source, identity)
                if key in known:
                    continue
                known.add(key)
                record = Record(
                    state="claimed",
                    handler=handler.name,
                    group=handler.group,
                    code=handler.code,
                    chain=self.chain.id,
                    run=key,
                    event=body,
                    began=self.chain.opened,
                )
                rerun = self._rerun(handler, self.app.codec.decode(body), record)
                stop, error = _outcome(rerun)
                now = rerun_asks(rerun)
                if stop is None:
                    now = joined(now, rerun_end(rerun, error))
                lines = difference(Story(), now)
                why = "it takes this event today and did not then"
                found.append(Replayed(key, handler.name, kind, "differs", why, lines))
        return found

    def _worked_events(self) -> list[tuple[bytes, str, str, str]]:
        """Events that were worked, and those of a chain that is over which nobody took."""
        events = {
            (run.event["source"], run.event["id"]): (run.record.event, run.event)
            for run in self.chain.runs
        }
        head = self.chain.head
        if head is not None and head.closed_at is not None:
            deliveries = Deliveries(self.chain, self.app, head.closed_at)
            for run in self.chain.runs:
                for emitted in run.emitted():
                    if deliveries.fate(emitted) == "waiting":
                        name = emitted.event["source"], emitted.event["id"]
                        events.setdefault(name, (emitted.out.body, emitted.event))
        return [
            (body, str(event["source"]), str(event["id"]), str(event["type"]))
            for body, event in events.values()
        ]

    def _rerun(self, handler: Handler, event: Any, record: Record) -> Rerun:
        head = self.chain.head
        return Rerun(
            handler,
            event,
            record,
            codec=self.app.codec,
            settings=self.settings,
            fleet=self._fleet_of(record),
            lock=None if head is None else head.lock,
        )

    def _fleet_of(self, record: Record) -> Fleet | None:
        if self.recorded is None:
            return self.fleet
        digests = [str(entry.result) for entry in record.log if entry.kind == "fleet"]
        if digests:
            return self.recorded.get(digests[0])
        # It did not ask for the fleet then; under which one it went on says any other run.
        return next(iter(self.recorded.values()), self.fleet)

    def _compare(self, run: Run, handler: Handler, rerun: Rerun) -> Replayed:
        record = run.record
        stop, error = _outcome(rerun)
        match stop:
            case Waits():
                failed = record.state in ("failed", "retrying")
                why = "it comes to the action that failed" if failed else "it waits where it waited"
                return self._verdict(run, "same", why)
            case Unrecorded() if record.state != "committed":
                return self._verdict(run, "unknown", f"{stop.why} from its last attempt on")
            case Unreadable():
                return self._verdict(run, "differs", stop.why)
            case Stop():
                # As far as the record can be compared: up to what was asked instead.
                then = recorded_asks(handler, [*rerun.seen(), *rerun.left()[:1]])
                now = rerun_asks(rerun)
                if rerun.finished:
                    # It asked another question, and its own answer was taken.
                    then = joined(then, recorded_end(run, self.app))
                    now = joined(now, rerun_end(rerun))
                return self._verdict(run, "differs", stop.why, difference(then, now))
        if not rerun.left():
            if record.state == "dropped":
                return self._verdict(run, "same", f"it was dropped: {record.why}")
            if record.state not in _DECIDED:
                return self._verdict(run, "unknown", "it has not decided yet")
        then = recorded_asks(handler, [*rerun.seen(), *rerun.left()])
        then = joined(then, recorded_end(run, self.app))
        now = joined(rerun_asks(rerun), rerun_end(rerun, error))
        lines = difference(then, now)
        if not lines:
            return self._verdict(run, "same")
        return self._verdict(run, "differs", self._why(record, rerun, then, now, error), lines)

    def _why(self, record: Record, rerun: Rerun, then: Story, now: Story, error: str) -> str:
        if error:
            return "it fails today"
        if record.state != "committed":
            return "it failed then and would not today"
        if rerun.left():
            return f"it does not ask for {rerun.left()[0].kind} any more"
        if without_modes(then) == without_modes(now):
            return "the fleet's modes are others"
        if then.ends != now.ends:
            return f"it would end the chain as {now.ends or 'open'}, not {then.ends or 'open'}"
        return "it would say something else"

    def _verdict(
        self, run: Run, verdict: Verdict, why: str = "", lines: tuple[str, ...] = ()
    ) -> Replayed:
        return Replayed(run.key, run.record.handler, str(run.event["type"]), verdict, why, lines)


def _outcome(rerun: Rerun) -> tuple[Stop | None, str]:
    """Run it: where it stopped before its end, or the error that it raised."""
    try:
        rerun.run()
    except Stop as stop:
        return stop, ""
    except Exception as error:  # noqa: BLE001 - what a handler raises is part of what it does
        return None, describe(error)
    return None, ""


def as_json(replay: Replay) -> dict[str, Any]:
    """A replay for programs."""
    return {
        "chain": replay.chain,
        "differs": replay.differs,
        "runs": [
            {
                "run": one.run,
                "handler": one.handler,
                "event": one.event,
                "verdict": one.verdict,
                "why": one.why,
                "difference": list(one.difference),
            }
            for one in replay.runs
        ],
    }
