"""What was decided then beside what would be decided today, as lines that a diff can compare.

Both sides are written through today's models, so that a field which has been added to an event or
an action since, with its default, is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from typing import TYPE_CHECKING, Any, Final

from crosswind.emissions import Branch, Later, Start
from crosswind.engine import emit
from crosswind.journal.rendering import lines, scalar
from crosswind.journal.rerun import Rerun, Said, spoken, today
from crosswind.records.record import Entry, Outgoing
from crosswind_events import Event, EventData, InvalidEvent
from crosswind_events.catalogue.approval import ApprovalRequested
from crosswind_events.catalogue.chain import BranchFailed, ChainDeadline
from crosswind_events.catalogue.deadletter import DeadLettered

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.handlers import Handler
    from crosswind.journal.chain import Run

ENGINE_MADE: Final = frozenset(
    data.event_type for data in (ApprovalRequested, BranchFailed, ChainDeadline, DeadLettered)
)
"""Types that the engine adds to the outbox of a run, and that no handler decides on."""

BEYOND: Final = "beyond a limit"
"""How the gate begins the reason for a proposal that a limit has made of an action."""

CONTEXT: Final = 3
"""Lines of a diff that are shown around a change."""


@dataclass(frozen=True, slots=True)
class Story:
    """What a run asked, did and said, in lines.

    Attributes:
        ends: the outcome with which it ended its chain.
    """

    lines: tuple[str, ...] = ()
    ends: str | None = None


def difference(then: Story, now: Story) -> tuple[str, ...]:
    """A unified diff; empty where both are the same."""
    if then == now:
        return ()
    return tuple(unified_diff(then.lines, now.lines, "recorded", "today", n=CONTEXT, lineterm=""))


def recorded_asks(handler: Handler, entries: Sequence[Entry]) -> Story:
    """What these entries of a record say was asked and done."""
    told: list[str] = []
    for entry in entries:
        told += _asked(entry.kind, _args(handler, entry), _mode(entry))
    return Story(tuple(told))


def recorded_end(run: Run, app: App) -> Story:
    """How a recorded run ended: what it said and whether it ended its chain, or its failure."""
    record = run.record
    told: list[str] = []
    ends: str | None = None
    if record.state in ("failed", "retrying"):
        told += [f"fails: {record.fails[-1].error if record.fails else record.why}"]
    elif record.state == "committed":
        for emitted in run.emitted():
            if emitted.event["type"] in ENGINE_MADE:
                continue
            told += _said_then(app, emitted.out, emitted.event)
            if "ended" in emitted.event and "ended" not in run.event:
                ends = str(emitted.event["ended"])
    if ends is not None:
        told.append(f"ends the chain: {ends}")
    return Story(tuple(told), ends)


def rerun_asks(rerun: Rerun) -> Story:
    """What a rerun has asked for."""
    told: list[str] = []
    for number, asked in enumerate(rerun.asked):
        entry = rerun.recorded(number)
        mode = asked.mode
        if entry is not None and (mode is None or entry.mode == "break-glass"):
            mode = _mode(entry)  # not known, or not of the fleet but of a person
        told += _asked(asked.kind, asked.args, mode)
    return Story(tuple(told))


def rerun_end(rerun: Rerun, error: str = "") -> Story:
    """How a rerun ended: what it said, or `error`."""
    if error:
        return Story((f"fails: {error}",))
    told: list[str] = []
    ends: str | None = None
    for said in rerun.said:
        told += _said_now(rerun, said)
        data = emit.data_of(said.yielded)
        if data.ends and not isinstance(said.yielded, Start):
            ends = data.ends
    if "ended" in rerun.event.extensions:
        ends = None
    if ends is not None:
        told.append(f"ends the chain: {ends}")
    return Story(tuple(told), ends)


def joined(first: Story, second: Story) -> Story:
    """One story after the other."""
    return Story((*first.lines, *second.lines), second.ends)


def without_modes(story: Story) -> Story:
    """A story without the modes of its actions."""
    lines = story.lines
    kept = (
        line
        for before, line in zip(("", *lines), lines, strict=False)
        if not (before.startswith("does ") and line.startswith("  mode: "))
    )
    return Story(tuple(kept), story.ends)


def _asked(kind: str, args: Any, mode: str | None) -> Iterator[str]:
    word = "does" if kind.startswith("act:") else "asks for"
    yield f"{word} {spoken(kind.removeprefix('act:'))}"
    if mode is not None:
        yield f"  mode: {mode}"
    if args is not None:
        yield from lines(args, "  ")


def _mode(entry: Entry) -> str | None:
    """The mode of an action before a limit made a proposal of it."""
    limited = entry.approval is not None and str(entry.approval["why"]).startswith(BEYOND)
    return "act" if limited else entry.mode


def _args(handler: Handler, entry: Entry) -> Any:
    family, _, kind = entry.kind.partition(":")
    models: Sequence[Any] = ()
    if family == "act":
        models = handler.acts
    elif family == "query":
        models = handler.reads
    model = next((one for one in models if one.kind == kind), None)
    return entry.args if model is None else today(model, entry.args)


def _said_then(app: App, out: Outgoing, event: Any) -> Iterator[str]:
    try:
        decoded: Any = app.codec.decode(out.body)
        data = decoded.data.model_dump(mode="json")
    except (InvalidEvent, AttributeError):
        data = event.get("data")
    due = None if out.due is None else out.due - _seconds(event["time"])
    start = "hop" not in event
    path = emit.branch_path(event)
    yield from _said(event["type"], event.get("subject"), data, due, start, path)


def _said_now(rerun: Rerun, said: Said) -> Iterator[str]:
    data: EventData = emit.data_of(said.yielded)
    event = Event.of(data, id="-", source="-", time=said.at)
    yielded = said.yielded
    subject = getattr(yielded, "subject", None) or rerun.event.subject
    due = None
    if isinstance(yielded, Later) and yielded.delay > 0:
        # As the outbox stores it: the due time, to the millisecond.
        at = said.at.timestamp()
        due = float(f"{at + yielded.delay:.3f}") - at
    start = isinstance(yielded, Start)
    path = [] if start else list(said.branches)
    if isinstance(yielded, Branch):
        path.append((yielded.join, yielded.member))
    yield from _said(event.type, subject, data.model_dump(mode="json"), due, start, path)


def _said(
    kind: str,
    subject: str | None,
    data: Any,
    due: float | None,
    start: bool,
    path: Sequence[tuple[str, str]],
) -> Iterator[str]:
    how = " as the first event of another chain" if start else ""
    yield f"says {kind}{how}"
    if due is not None:
        yield f"  after: {due:.3f} s"
    if subject is not None:
        yield f"  about: {scalar(subject)}"
    for join, member in path:
        yield f"  branch: {member} of {join}"
    yield from lines(data, "  ")


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()
