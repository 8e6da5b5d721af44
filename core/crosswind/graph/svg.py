"""The graph as SVG: a picture of its own, for light and for dark surroundings.

Colours are chosen by the style sheet inside, after `prefers-color-scheme`. Everything that a
colour says is said by a shape or a dash as well. Each node and each edge has a title for those who
point at it or cannot see it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from crosswind.graph.layers import Box, Layout, Spot, arrange
from crosswind.graph.model import Graph, Node, Way

_MARGIN: Final = 28.0
_HEADING: Final = 34.0
_LEGEND: Final = 62.0
_CHARACTER: Final = 7.1
"""Pixels that a character of the font takes on average, rounded up."""

_LINE: Final = 17.0
_DROP: Final = 4.2
"""Pixels from the middle of a line down to where its letters stand."""

_LEAST_WIDTH: Final = 900.0

_SHAPES: Final = """
  text { font:12px ui-sans-serif,system-ui,'Segoe UI',Helvetica,Arial,sans-serif;
    text-anchor:middle; }
  .heading { font-size:16px; font-weight:600; text-anchor:start; }
  .word { text-anchor:start; }
  .small { font-size:11px; }
  .engine { stroke-dasharray:2 3; }
  .ends { stroke-width:2.5; }
  path { fill:none; stroke-width:1.4; }
  .later { stroke-dasharray:7 5; }
  .start { stroke-dasharray:1.5 4.5; stroke-linecap:round; stroke-width:1.9; }
  .branch { stroke-width:3; }
  .tip { stroke:none; }
"""

_LIGHT: Final = """
  .paper { fill:#ffffff; } text { fill:#1c1e24; } .word, .small { fill:#5c606b; }
  path { stroke:#5a6070; } .tip { fill:#5a6070; }
  .event, .engine { fill:#f3f3f0; stroke:#8a877e; } .handler { fill:#dde8ff; stroke:#3b66c4; }
  .entry { fill:#def3e5; stroke:#2c8750; } .ends { fill:#fde7d6; stroke:#b1602a; }
  .schedule { fill:#ece3fa; stroke:#7649bd; }
"""

# Plain rules instead of variables: many tools that show SVG know no custom properties.
_DARK: Final = """
  @media (prefers-color-scheme: dark) {
  .paper { fill:#14161b; } text { fill:#eceef3; } .word, .small { fill:#a3a9b8; }
  path { stroke:#97a0b5; } .tip { fill:#97a0b5; }
  .event, .engine { fill:#26282e; stroke:#8d909a; } .handler { fill:#1c2c52; stroke:#7ea1ee; }
  .entry { fill:#12341f; stroke:#59c585; } .ends { fill:#432712; stroke:#e59a61; }
  .schedule { fill:#2d2046; stroke:#b391ee; } }
"""

_WAYS: Final[dict[Way, str]] = {
    "takes": "is taken by",
    "ticks": "runs",
    "next": "emits",
    "later": "emits later, by a timer",
    "branch": "emits once for each branch",
    "start": "starts a chain of its own with",
}
_KEY_OF_WAYS: Final[tuple[tuple[Way, str], ...]] = (
    ("next", "next step"),
    ("later", "timer"),
    ("branch", "branches"),
    ("start", "starts another chain"),
)
_KEY_OF_NODES: Final = (
    ("entry", "event that opens a chain"),
    ("event", "event"),
    ("engine", "event of the engine"),
    ("handler", "handler"),
    ("schedule", "schedule"),
    ("ends", "ends its chain"),
)


def draw(graph: Graph) -> str:
    """The graph as an SVG document; it ends with a line break."""
    boxes = {node.id: _box(node) for node in graph.nodes}
    layout = arrange(boxes, [(edge.source, edge.target) for edge in graph.edges])
    return "\n".join(_document(graph, boxes, layout)) + "\n"


def _document(graph: Graph, boxes: Mapping[str, Box], layout: Layout) -> Iterator[str]:
    width = max(layout.width, _LEAST_WIDTH) + 2 * _MARGIN
    height = layout.height + 2 * _MARGIN + _HEADING + _LEGEND
    left = (width - layout.width) / 2
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" aria-labelledby="title desc">'
    )
    yield f'  <title id="title">{escape(graph.name)}: graph of its chains</title>'
    events = sum(node.kind == "event" for node in graph.nodes)
    handlers = sum(node.kind == "handler" for node in graph.nodes)
    yield f'  <desc id="desc">{events} event types and {handlers} handlers</desc>'
    yield f"  <style>{_SHAPES}{_LIGHT}{_DARK}  </style>"
    yield '  <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8"'
    yield '    markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
    yield '    <path class="tip" d="M0 0.5 L8 4 L0 7.5 z"/></marker></defs>'
    yield f'  <rect class="paper" width="{width:.0f}" height="{height:.0f}"/>'
    yield f'  <text class="heading" x="{_MARGIN}" y="{_MARGIN}">{escape(graph.name)}</text>'
    yield f'  <g transform="translate({left:.1f} {_MARGIN + _HEADING:.1f})">'
    yield from _edges(graph, boxes, layout)
    for node in graph.nodes:
        yield from _drawn(node, boxes[node.id], layout.spots[node.id])
    yield "  </g>"
    yield from _legend(height - _MARGIN - 30)
    yield "</svg>"


def _edges(graph: Graph, boxes: Mapping[str, Box], layout: Layout) -> Iterator[str]:
    titles = {node.id: node.title for node in graph.nodes}
    ports = _ports(graph, boxes, layout)
    for number, edge in enumerate(graph.edges):
        way = list(layout.ways[number])
        for end in (0, -1):
            name = edge.source if end == 0 else edge.target
            down = way[1].y > way[0].y if end == 0 else way[-1].y < way[-2].y
            half = boxes[name].height / 2
            way[end] = Spot(ports[number, name], way[end].y + (half if down else -half))
        title = f"{titles[edge.source]} {_WAYS[edge.way]} {titles[edge.target]}"
        yield (
            f'    <path class="{edge.way}" marker-end="url(#tip)" d="{_curve(way)}">'
            f"<title>{escape(title)}</title></path>"
        )


def _ports(
    graph: Graph, boxes: Mapping[str, Box], layout: Layout
) -> Mapping[tuple[int, str], float]:
    """Where on a node each edge begins or ends: spread in the order of where they come from."""
    sides: dict[tuple[str, bool], list[tuple[float, int]]] = {}
    for number, edge in enumerate(graph.edges):
        way = layout.ways[number]
        for name, here, there in (
            (edge.source, way[0], way[1]),
            (edge.target, way[-1], way[-2]),
        ):
            sides.setdefault((name, there.y > here.y), []).append((there.x, number))
    found: dict[tuple[int, str], float] = {}
    for (name, _), ends in sides.items():
        room = boxes[name].width - 24
        step = min(18.0, room / max(len(ends) - 1, 1))
        first = layout.spots[name].x - step * (len(ends) - 1) / 2
        for position, (_, number) in enumerate(sorted(ends)):
            found[number, name] = first + step * position
    return found


def _curve(way: Sequence[Spot]) -> str:
    """A smooth line that leaves and arrives upright, and does not swing where it passes by."""
    slopes = [0.0] * len(way)
    for i in range(1, len(way) - 1):
        before, here, after = way[i - 1], way[i], way[i + 1]
        if (here.x - before.x) * (after.x - here.x) > 0:
            slopes[i] = (after.x - before.x) / (after.y - before.y)
    parts = [f"M{way[0].x:.1f} {way[0].y:.1f}"]
    for i, (a, b) in enumerate(pairwise(way)):
        third = (b.y - a.y) / 3
        if slopes[i] == slopes[i + 1] == 0.0:
            third = (b.y - a.y) / 2
        c, d = a.x + slopes[i] * third, b.x - slopes[i + 1] * third
        parts.append(f"C{c:.1f} {a.y + third:.1f} {d:.1f} {b.y - third:.1f} {b.x:.1f} {b.y:.1f}")
    return " ".join(parts)


def _box(node: Node) -> Box:
    longest = max(len(line) for line in _text(node))
    rows = len(_text(node))
    return Box(max(longest * _CHARACTER + 28, 70.0), 14 + _LINE * rows)


def _text(node: Node) -> list[str]:
    return [node.label] if node.ends is None else [node.label, f"ends: {node.ends}"]


def _class(node: Node) -> str:
    if node.kind != "event":
        return node.kind
    if node.ends is not None:
        return "ends"
    if node.engine:
        return "engine"
    return "entry" if node.entry else "event"


def _drawn(node: Node, box: Box, spot: Spot) -> Iterator[str]:
    title = "\n".join((node.title, *node.notes))
    yield f"    <g><title>{escape(title)}</title>"
    yield "      " + _shape(_class(node), spot, box)
    lines = _text(node)
    for row, line in enumerate(lines):
        y = spot.y + (row - (len(lines) - 1) / 2) * _LINE + _DROP
        style = ' class="small"' if row else ""
        yield f'      <text{style} x="{spot.x:.1f}" y="{y:.1f}">{escape(line)}</text>'
    yield "    </g>"


def _shape(kind: str, spot: Spot, box: Box) -> str:
    x, y, w, h = spot.x - box.width / 2, spot.y - box.height / 2, box.width, box.height
    if kind == "schedule":
        points = (
            (x + 10, y), (x + w - 10, y), (x + w, y + h / 2),
            (x + w - 10, y + h), (x + 10, y + h), (x, y + h / 2),
        )  # fmt: skip
        drawn = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        return f'<polygon class="schedule" points="{drawn}"/>'
    round_ = 4 if kind == "handler" else h / 2 if kind != "ends" else 10
    return (
        f"<rect class={quoteattr(kind)} "
        f'x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="{round_:.1f}"/>'
    )


def _legend(y: float) -> Iterator[str]:
    x = _MARGIN
    for kind, word in _KEY_OF_NODES:
        yield "  " + _shape(kind, Spot(x + 14, y), Box(28, 16))
        yield f'  <text class="word" x="{x + 36:.1f}" y="{y + _DROP:.1f}">{word}</text>'
        x += 36 + len(word) * _CHARACTER + 18
    x, y = _MARGIN, y + 28
    for way, word in _KEY_OF_WAYS:
        path = f"M{x:.1f} {y:.1f} L{x + 40:.1f} {y:.1f}"
        yield f'  <path class="{way}" marker-end="url(#tip)" d="{path}"/>'
        yield f'  <text class="word" x="{x + 50:.1f}" y="{y + _DROP:.1f}">{word}</text>'
        x += 50 + len(word) * _CHARACTER + 18
