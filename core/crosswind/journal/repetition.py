"""What happens again and again and leads to nothing, told in one line.

An observer that says the same every second, and a handler that looks once a minute, would hide
what matters in a trace. Where events of one type, from one source and below one node are each
worked without consequence, the first is kept and the others are counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crosswind.journal.trace import EventNode, RunNode
from crosswind_events.catalogue.chain import ChainDeadline

FEW = 2
"""So many are shown as they are."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """Events that came again and led to nothing; `at` is when the last of them was made."""

    depth: int
    type: str
    source: str
    count: int
    at: float


@dataclass(frozen=True, slots=True)
class _Block:
    """An event without consequence, with the runs below it."""

    start: int
    end: int


_Key = tuple[int, int, str, str]


def collapsed(nodes: Sequence[EventNode | RunNode]) -> Iterator[EventNode | RunNode | Repeated]:
    """The nodes of a trace, with what repeats itself counted where the last of it stood."""
    found: dict[_Key, list[_Block]] = {}
    above: list[int] = []
    for position, node in enumerate(nodes):
        del above[node.depth :]
        if isinstance(node, EventNode):
            block = _without_consequence(nodes, position)
            if block is not None:
                parent = above[-1] if above else -1
                key = (parent, node.depth, str(node.event["type"]), str(node.event["source"]))
                found.setdefault(key, []).append(block)
        above += [position] * (node.depth + 1 - len(above))
    left_out: set[int] = set()
    told: dict[int, Repeated] = {}
    for (_, depth, kind, source), blocks in found.items():
        if len(blocks) > FEW:
            for block in blocks[1:]:
                left_out.update(range(block.start, block.end))
            last = nodes[blocks[-1].start]
            told[blocks[-1].start] = Repeated(depth, kind, source, len(blocks) - 1, last.at)
    for position, node in enumerate(nodes):
        if position in told:
            yield told[position]
        if position not in left_out:
            yield node


def _without_consequence(nodes: Sequence[EventNode | RunNode], start: int) -> _Block | None:
    """The event at this position with its runs, if none of them did or led to anything."""
    event = nodes[start]
    end = start + 1
    while end < len(nodes) and nodes[end].depth > event.depth:
        run = nodes[end]
        if not isinstance(run, RunNode) or not isinstance(event, EventNode):
            return None
        record = run.run.record
        acted = any(entry.is_action for entry in record.log)
        led = any(
            emitted.event["type"] != ChainDeadline.event_type
            and not ("tick" in emitted.event and emitted.event["type"] == event.event["type"])
            for emitted in run.run.emitted()
        )
        if record.state != "committed" or record.fails or acted or led:
            return None
        end += 1
    return _Block(start, end) if end > start + 1 else None
