"""A layered layout, after Sugiyama, Tagawa and Toda (1981).

    cycles       edges that lead back are turned round for the time of the layout
    layers       every edge leads down; a node stands as high as the longest way to it
    dummies      an edge over several layers gets a place in each of them
    order        barycenters, swept down and up; the order with the fewest crossings is kept
    coordinates  each node as near to its neighbours as the order allows

All of it is deterministic, so that the same app gives the same picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

SWEEPS = 24
GAP = 22.0
"""Pixels between two boxes of a layer."""

THIN = 9.0
"""Pixels that an edge takes up where it passes a layer."""

STRAIGHT = 8.0
"""How much harder the pieces of one edge pull at each other than a node and its neighbour."""

RISE = 46.0
"""Pixels between two layers."""


@dataclass(frozen=True, slots=True)
class Box:
    """What a node needs, in pixels."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Spot:
    """The middle of a node."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands.

    Attributes:
        spots: by node.
        ways: by the number of an edge, the points that it passes, from its source to its target.
        width, height: of the whole, in pixels.
    """

    spots: Mapping[str, Spot]
    ways: Mapping[int, tuple[Spot, ...]]
    width: float
    height: float


@dataclass
class _Vertex:
    box: Box
    name: str = ""
    layer: int = 0
    x: float = 0.0
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)


def arrange(boxes: Mapping[str, Box], edges: Sequence[tuple[str, str]]) -> Layout:
    """Lay out nodes with edges between them; `edges` name nodes and lead from one to another."""
    names = list(boxes)
    number = {name: i for i, name in enumerate(names)}
    pairs = [(number[a], number[b]) for a, b in edges]
    turned = _back_edges(len(names), pairs)
    down = [(b, a) if i in turned else (a, b) for i, (a, b) in enumerate(pairs)]
    levels = _levels(len(names), down)
    vertices = [_Vertex(boxes[name], name, levels[i]) for i, name in enumerate(names)]
    chains = [_thread(vertices, a, b) for a, b in down]
    rows = _ordered(vertices)
    _place(vertices, rows)
    return _layout(vertices, rows, chains, turned)


def _back_edges(count: int, pairs: Sequence[tuple[int, int]]) -> set[int]:
    """Edges that close a circle, as a walk in depth from the sources meets them."""
    following: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    entered = [0] * count
    for i, (a, b) in enumerate(pairs):
        following[a].append((i, b))
        entered[b] += 1
    back: set[int] = set()
    state = [0] * count
    for root in sorted(range(count), key=lambda node: (entered[node] > 0, node)):
        if state[root]:
            continue
        stack = [(root, 0)]
        state[root] = 1
        while stack:
            node, position = stack.pop()
            if position == len(following[node]):
                state[node] = 2
                continue
            stack.append((node, position + 1))
            edge, target = following[node][position]
            if state[target] == 1:
                back.add(edge)
            elif state[target] == 0:
                state[target] = 1
                stack.append((target, 0))
    return back


def _levels(count: int, down: Sequence[tuple[int, int]]) -> list[int]:
    """The longest way from a source; sources stand just above what they lead to."""
    waiting = [0] * count
    following: list[list[int]] = [[] for _ in range(count)]
    for a, b in down:
        following[a].append(b)
        waiting[b] += 1
    sources = [node for node in range(count) if not waiting[node]]
    level = [0] * count
    ready = list(sources)
    for node in ready:
        for target in following[node]:
            level[target] = max(level[target], level[node] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    for node in sources:
        if following[node]:
            level[node] = min(level[target] for target in following[node]) - 1
    return level


def _thread(vertices: list[_Vertex], a: int, b: int) -> list[int]:
    """Lead an edge through every layer that it passes; returns the vertices on its way."""
    way = [a]
    for layer in range(vertices[a].layer + 1, vertices[b].layer):
        vertices.append(_Vertex(Box(THIN, 0.0), layer=layer))
        way.append(len(vertices) - 1)
    way.append(b)
    for upper, lower in pairwise(way):
        vertices[upper].below.append(lower)
        vertices[lower].above.append(upper)
    return way


def _ordered(vertices: Sequence[_Vertex]) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(max((v.layer for v in vertices), default=-1) + 1)]
    for i, vertex in enumerate(vertices):
        rows[vertex.layer].append(i)
    best, fewest = [list(row) for row in rows], _crossings(vertices, rows)
    for sweep in range(SWEEPS):
        downward = sweep % 2 == 0
        for row in rows if downward else reversed(rows):
            place = {i: p for other in rows for p, i in enumerate(other)}
            centre = {}
            for i in row:
                near = vertices[i].above if downward else vertices[i].below
                centre[i] = sum(place[n] for n in near) / len(near) if near else float(place[i])
            row.sort(key=lambda i: centre[i])
        crossed = _crossings(vertices, rows)
        if crossed < fewest:
            best, fewest = [list(row) for row in rows], crossed
    return best


def _crossings(vertices: Sequence[_Vertex], rows: Sequence[Sequence[int]]) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        place = {i: p for p, i in enumerate(lower)}
        ends = [place[n] for i in upper for n in sorted(vertices[i].below, key=place.__getitem__)]
        total += sum(a > b for k, a in enumerate(ends) for b in ends[k + 1 :])
    return total


def _place(vertices: list[_Vertex], rows: Sequence[Sequence[int]]) -> None:
    for row in rows:
        x = 0.0
        for i in row:
            vertices[i].x = x + vertices[i].box.width / 2
            x += vertices[i].box.width + GAP
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = []
            for i in row:
                vertex = vertices[i]
                near = [*vertex.above, *vertex.below]
                # Two places of one edge pull hardest, so that long edges run straight.
                weights = [
                    STRAIGHT if not vertex.name and not vertices[n].name else 1.0 for n in near
                ]
                pull = sum(w * vertices[n].x for w, n in zip(weights, near, strict=True))
                wanted.append(pull / sum(weights) if near else vertex.x)
            _settle(vertices, row, wanted)


def _settle(vertices: list[_Vertex], row: Sequence[int], wanted: Sequence[float]) -> None:
    """The nearest places to those wanted that keep order and distance (isotonic regression)."""
    offsets = [0.0]
    for left, right in pairwise(row):
        a, b = vertices[left], vertices[right]
        gap = (a.box.width + b.box.width) / 2 + (GAP if a.name and b.name else THIN)
        offsets.append(offsets[-1] + gap)
    blocks: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        mean, size = want - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, count = blocks.pop()
            mean = (mean * size + other * count) / (size + count)
            size += count
        blocks.append((mean, size))
    places = [mean for mean, size in blocks for _ in range(size)]
    for i, place, offset in zip(row, places, offsets, strict=True):
        vertices[i].x = place + offset


def _layout(
    vertices: Sequence[_Vertex],
    rows: Sequence[Sequence[int]],
    chains: Sequence[Sequence[int]],
    turned: set[int],
) -> Layout:
    left = min((v.x - v.box.width / 2 for v in vertices), default=0.0)
    right = max((v.x + v.box.width / 2 for v in vertices), default=0.0)
    heights = [max(vertices[i].box.height for i in row) for row in rows]
    middles, y = [], 0.0
    for height in heights:
        middles.append(y + height / 2)
        y += height + RISE
    spots = [Spot(v.x - left, middles[v.layer]) for v in vertices]
    ways = {
        i: tuple(spots[n] for n in (reversed(chain) if i in turned else chain))
        for i, chain in enumerate(chains)
    }
    named = {v.name: spot for v, spot in zip(vertices, spots, strict=True) if v.name}
    return Layout(named, ways, right - left, max(y - RISE, 0.0))
