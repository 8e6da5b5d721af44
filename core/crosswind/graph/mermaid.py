"""The graph as Mermaid text: https://mermaid.js.org/syntax/flowchart.html"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crosswind.graph.model import Graph, Node, Way

_ARROWS: Final[dict[Way, str]] = {
    "takes": "-->",
    "ticks": "-->",
    "next": "-->",
    "later": "-. timer .->",
    "branch": "== branch ==>",
    "start": "-. starts a chain .->",
}
_DOTTED: Final = "stroke-dasharray:1 4"
_CLASSES: Final = {
    "handler": "fill:#dbe7ff,stroke:#3b66c4,color:#10203f",
    "event": "fill:#f4f4f2,stroke:#77756f,color:#22211f",
    "entry": "fill:#e0f3e6,stroke:#2f8a50,color:#0f2c1a",
    "ends": "fill:#fdeadc,stroke:#b4622a,color:#3a1f0c,stroke-width:3px",
    "engine": "fill:#f4f4f2,stroke:#77756f,color:#22211f,stroke-dasharray:2 3",
    "schedule": "fill:#efe6fb,stroke:#7a4fbf,color:#281545",
}


def draw(graph: Graph) -> str:
    """The graph as a Mermaid flowchart; it ends with a line break."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    yield "flowchart TD"
    for node in graph.nodes:
        yield f"  {_node(node)}:::{_class(node)}"
    for edge in graph.edges:
        yield f"  {edge.source} {_ARROWS[edge.way]} {edge.target}"
    dotted = [str(i) for i, edge in enumerate(graph.edges) if edge.way == "start"]
    if dotted:
        yield f"  linkStyle {','.join(dotted)} {_DOTTED}"
    used = dict.fromkeys(_class(node) for node in graph.nodes)
    for name in used:
        yield f"  classDef {name} {_CLASSES[name]}"


def _node(node: Node) -> str:
    text = _escaped(node.label)
    text = f'"{text}"' if node.ends is None else f'"{text}<br>ends: {node.ends}"'
    if node.kind == "handler":
        return f"{node.id}[{text}]"
    if node.kind == "schedule":
        return f"{node.id}{{{{{text}}}}}"
    if node.ends is not None:
        return f"{node.id}[[{text}]]"
    return f"{node.id}([{text}])"


def _class(node: Node) -> str:
    if node.kind != "event":
        return node.kind
    if node.ends is not None:
        return "ends"
    if node.engine:
        return "engine"
    return "entry" if node.entry else "event"


def _escaped(text: str) -> str:
    """Text inside of a quoted label: Mermaid writes entities with `#` in place of `&`."""
    return text.replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;")
