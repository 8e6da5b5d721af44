"""A trace for people: a tree on the console."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.console import Group
from rich.table import Table
from rich.tree import Tree

from crosswind.cli.durations import spoken
from crosswind.cli.output import text
from crosswind.cli.working import STYLES
from crosswind.graph.model import short
from crosswind.journal.rendering import brief, lines
from crosswind.journal.repetition import Repeated, collapsed
from crosswind.journal.trace import AMBIENT, EventNode, RunNode, Step, Trace

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from crosswind.app import App
    from crosswind.journal.findings import Decision, Piece, Weighing

_FATES: Final = {
    "waiting": ("waits on the bus", "yellow"),
    "void": ("void: cancelled, or its chain has ended", "dim"),
    "untaken": ("no handler takes it", "dim"),
}
_MODES: Final = {"observe": "magenta", "propose": "yellow", "act": "green", "break-glass": "red"}


_LONG: Final = 2_000

_ROWS: Final = 25
_SOURCE: Final = 36
"""Pieces of evidence that are shown in one table, and how much of the source of each."""


def view(trace: Trace, app: App, *, full: bool) -> Iterator[RenderableType]:
    """A heading, and the tree."""
    yield from _heading(trace)
    root = Tree("", hide_root=True, guide_style="dim")
    branches = [root]
    for node, alone in _with_runs([*trace.nodes] if full else [*collapsed(trace.nodes)]):
        if isinstance(node, Repeated):
            del branches[node.depth + 1 :]
            branches[-1].add(_repeated(node))
            continue
        rows = list(_event(node, trace, full) if isinstance(node, EventNode) else ())
        rows += _run(alone, app, trace, full) if alone is not None else ()
        depth = node.depth
        del branches[depth + 1 :]
        branches.append(branches[-1].add(Group(*rows)))
        if isinstance(node, EventNode) and alone is not None:
            branches.append(branches[-1])
    yield root


Node = EventNode | RunNode | Repeated


def _with_runs(nodes: Sequence[Node]) -> Iterator[tuple[Node, RunNode | None]]:
    """Each node to be shown, and the run to be shown in it: an event's only one, to save depth."""
    merged = False
    for node, following in zip(nodes, [*nodes[1:], None], strict=True):
        if merged:
            merged = False
        elif isinstance(node, RunNode):
            yield node, node
        elif (
            isinstance(node, EventNode)
            and node.runs == 1
            and not node.again
            and isinstance(following, RunNode)
        ):
            merged = True
            yield node, following
        else:
            yield node, None


def _repeated(node: Repeated) -> Text:
    line = text(f"{_at(node.at)} ", "dim").append(text(short(node.type), "bold"))
    line.append(text(f"  from {node.source}", "dim"))
    return line.append(f"  {node.count} more until here, which led to nothing", "dim")


def _heading(trace: Trace) -> Iterator[RenderableType]:
    head = trace.chain.head
    line = text("chain ").append(trace.chain.id, "bold cyan")
    yield line
    if head is None:
        state = text("has no head: its first event waits for its target, or was dropped", "yellow")
    elif head.open:
        state = text(f"open since {spoken(trace.seconds)}", "yellow")
        if head.deadline is not None:
            state.append(f", its deadline is in {spoken(head.deadline - trace.now)}", "dim")
    else:
        bad = head.outcome in ("failed", "stalled")
        state = text(f"ended after {spoken(trace.seconds)}: ")
        state.append(text(head.outcome or "", "bold red" if bad else "bold green"))
    if head is not None and head.lock is not None:
        lock = head.lock
        state.append(text(f"; holds {lock.flight} {lock.target}, epoch {lock.epoch}", "dim"))
    if head is not None and head.evidence > 1:
        state.append(f"; {head.evidence} pieces of evidence", "dim")
    if trace.simulated:
        state.append("; simulated: nothing outside was changed", "magenta")
    yield state


def _event(node: EventNode, trace: Trace, full: bool) -> Iterator[RenderableType]:
    event = node.event
    line = text(_at(node.at), "dim").append(" ").append(text(short(str(event["type"])), "bold"))
    if event.get("subject"):
        line.append(text(f" {event['subject']}"))
    if node.fate == "first":
        line.append(text(f"  from {event['source']}", "dim"))
    if "branch" in event:
        line.append(text(f"  branch {str(event['branch']).rpartition('|')[2]}", "dim"))
    if "simulated" in event:
        line.append("  simulated", "magenta")
    if node.fate == "elsewhere":
        line.append(text(f"  starts chain {(node.starts or '')[:8]}", "cyan"))
    elif node.fate == "timer" and node.due is not None:
        line.append(
            f"  timer, due in {spoken(node.due + trace.chain.opened - trace.now)}", "yellow"
        )
    elif node.fate in _FATES:
        words, style = _FATES[node.fate]
        line.append(f"  {words}", style)
    elif node.due is not None:
        line.append(f"  timer, due at {_at(node.due)}", "dim")
    if node.again:
        yield line.append("  the same event as above", "dim")
        return
    yield line
    if node.because:
        yield text(f"because {node.because}")
    if node.pieces:
        yield evidence_table(node.pieces, node.weighing, full=full)
    yield from (decision_table(decision) for decision in node.decisions)
    if full:
        yield from (text(one, "dim") for one in lines(event.get("data"), "  "))


def _run(node: RunNode, app: App, trace: Trace, full: bool) -> Iterator[RenderableType]:
    record = node.run.record
    name = record.handler if full else record.handler.rpartition(":")[2]
    line = text(_at(node.at), "dim").append(" ").append(text(name, "blue"))
    line.append(" ").append(record.state, STYLES.get(record.state, ""))
    if node.took is not None:
        line.append(f" in {_took(node.took)}", "dim")
    handler = app.handler(record.handler)
    if handler is not None and handler.code != record.code and record.code:
        line.append("  by another version of the code", "dim")
    if record.redrives:
        line.append(f"  redriven {record.redrives}x", "yellow")
    yield line
    if record.why and record.state != "committed":
        asked = bool(record.log) and record.log[-1].approval is not None
        waits = node.rest is not None and not asked
        rest = f"; goes on in {spoken(max(node.rest or 0.0, 0.0))}" if waits else ""
        yield text(f"  {record.why}{rest}", STYLES.get(record.state, ""))
    for step in node.steps:
        if full or step.entry.kind not in AMBIENT:
            yield from _step(step, trace, full)
    for failure in record.fails:
        at = _at(failure.at - trace.chain.opened)
        yield text(f"  attempt failed at {at}: {failure.error}", "red")


def _step(step: Step, trace: Trace, full: bool) -> Iterator[RenderableType]:
    entry = step.entry
    family, _, name = entry.kind.partition(":")
    if entry.is_action:
        yield from _action(step, trace, full)
        return
    words = {"query": "read", "close": "close join", "settle": "question", "answered": "question"}
    line = text(f"  {words.get(family, family)} ", "dim").append(text(name))
    if family == "answered" and entry.result is None:
        yield line.append(" has no answer yet", "dim")
        return
    if family == "evidence":
        count = len(entry.result) if entry.done else 0
        yield line.append(f"{count} event(s) weighed", "dim")
        return
    if family == "settle" and entry.done:
        answer = entry.result["outcome"]
        line.append(text(f" -> {answer}"))
        if answer != entry.args:
            line.append(text(f" (asked for {entry.args})", "dim"))
        yield line if full else _cut(line)
        return
    if full:
        yield line
        yield from (text(one, "dim") for one in lines({"asked": entry.args}, "    "))
        if entry.done:
            yield from (text(one, "dim") for one in lines({"answer": entry.result}, "    "))
        return
    if entry.args:
        line.append(text(f" ({brief(entry.args, 60)})", "dim"))
    if entry.done:
        line.append(text(f" -> {brief(entry.result, _LONG)}"))
    yield _cut(line)


def _action(step: Step, trace: Trace, full: bool) -> Iterator[RenderableType]:
    entry = step.entry
    mode = entry.mode or "act"
    line = text("  do ").append(text(entry.kind.partition(":")[2], "bold"))
    line.append(" ").append(mode, _MODES.get(mode, ""))
    if entry.asked:
        line.append(f", asked {entry.asked}x", "dim")
    if entry.took is not None:
        line.append(f", {_took(entry.took)}", "dim")
    line.append(f", key {(step.key or '')[:8]}" if not full else f", key {step.key}", "dim")
    yield line
    if full:
        yield from (text(one, "dim") for one in lines(entry.args, "    "))
    else:
        yield _cut(text(f"    {brief(entry.args, _LONG)}", "dim"))
    if entry.approval is not None:
        yield from _approval(entry.approval, trace)
    if entry.refused is not None:
        who = f" by {entry.refused['by']}" if entry.refused.get("by") else ""
        why = f": {entry.refused['reason']}" if entry.refused.get("reason") else ""
        yield text(f"    not taken: {entry.refused['outcome']}{who}{why}", "red")
    elif entry.pending:
        yield text(f"    under way: {entry.pending}", "yellow")
    elif entry.done:
        assumed = "assumed, nothing was done: " if entry.simulated else ""
        style = "magenta" if entry.simulated else ""
        result = text(f"    -> {assumed}{brief(entry.result, _LONG)}", style)
        yield result if full else _cut(result)
    elif entry.approval is None:
        yield text("    no result yet", "yellow")


def _approval(approval: Mapping[str, Any], trace: Trace) -> Iterator[Text]:
    answer = trace.chain.answers.get(f"approval:{approval['id']}")
    name = str(approval["id"])[:8]
    if answer is None:
        rest = spoken(float(approval["expires"]) - trace.now)
        yield text(
            f"    approval {name} is asked for ({approval['why']}); it expires in {rest}: "
            f"crosswind approve {trace.chain.id[:8]}",
            "yellow",
        )
        return
    who = f" by {answer.by}" if answer.by else ""
    why = f": {answer.reason}" if answer.reason else ""
    at = _at(answer.at - trace.chain.opened)
    yield text(
        f"    approval {name} ({approval['why']}) {answer.outcome}{who} at {at}{why}", "cyan"
    )


def evidence_table(
    pieces: tuple[Piece, ...], weighing: Weighing | None = None, *, full: bool = False
) -> RenderableType:
    """What was believed and why: each piece with what it counts for, and what they sum up to.

    Where there are very many, those that count go before others, and newer ones before older.
    """
    shown = pieces if full else _most_telling(pieces)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=None)
    aged = any(piece.age is not None for piece in shown)
    about = any(piece.about for piece in shown)
    table.add_column("counts", justify="right")
    if aged:
        table.add_column("of", justify="right")
    table.add_column("evidence", overflow="fold")
    if about:
        table.add_column("about", overflow="fold")
    table.add_column("says", overflow="fold")
    if aged:
        table.add_column("age", justify="right", no_wrap=True)
    for name in ("from", "because"):
        table.add_column(name, overflow="fold")
    for piece in shown:
        kind = piece.kind + (f" at {piece.vantage}" if piece.vantage else "")
        cells = [text(_counted(piece))]
        cells += [text("" if piece.full is None else _weight(piece.full))] if aged else []
        cells += [text(kind)]
        cells += [text(piece.about or "all")] if about else []
        cells += [text(piece.says)]
        cells += [text("" if piece.age is None else spoken(piece.age))] if aged else []
        source = (
            piece.source if full or len(piece.source) <= _SOURCE else f"{piece.source[:_SOURCE]}…"
        )
        cells += [text(source, "dim"), text(piece.because)]
        table.add_row(*cells, style="" if piece.counts else "dim")
    below = [_sum(weighing)] if weighing is not None else []
    if len(shown) < len(pieces):
        left_out = len(pieces) - len(shown)
        below.insert(0, text(f"{left_out} more; --full shows them, --json has them all", "dim"))
    return Group(table, *below) if below else table


def _most_telling(pieces: Sequence[Piece]) -> Sequence[Piece]:
    """At most so many of the pieces as fit on a screen, in their order."""
    ranked = sorted(range(len(pieces)), key=lambda n: (not pieces[n].counts, -n))
    return [pieces[n] for n in sorted(ranked[:_ROWS])]


def _sum(weighing: Weighing) -> Text:
    line = text(f"sum {_weight(weighing.total)} of {_weight(weighing.quorum)} needed", "bold")
    if weighing.about:
        line.append(text(f" about {weighing.about}"))
    if weighing.against:
        line.append(text(f", {_weight(weighing.against)} taken off it"))
    if weighing.views_needed:
        line.append(text(f", {weighing.views} independent views ({weighing.views_needed} needed)"))
    enough = ("enough", "green") if weighing.reached else ("not enough", "yellow")
    return line.append(": ").append(*enough)


def _counted(piece: Piece) -> str:
    return f"-{_weight(piece.against)}" if piece.against else _weight(piece.weight)


def _weight(value: float) -> str:
    return f"{value:.3g}"


def decision_table(decision: Decision) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    table.title = text(f"decided by: {decision.rule}", "dim")
    for name in ("", "alternative", "because", "breaks"):
        table.add_column(name, overflow="fold")
    for one in decision.alternatives:
        table.add_row(
            "chosen" if one.chosen else "",
            text(one.name, "bold" if one.chosen else ""),
            text(one.because),
            text("; ".join(one.breaks), "red"),
        )
    return table


def _cut(line: Text) -> Text:
    """One line that ends where the console does."""
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _at(seconds: float) -> str:
    # Adding nothing turns a -0.0 into 0.0.
    return f"{round(seconds, 3) + 0.0:+.3f}s"


def _took(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else spoken(seconds)
