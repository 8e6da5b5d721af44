"""The pictures of the built-in chain are true: each arrow is a handler that the code has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from crosswind.chains.failover import failover_app
from e2e.docs.pages import DOCS, PAGES, ROOT, Block, blocks

WAYS: Final = {"--": "next", "-.": "later", "==": "branch"}
"""What the beginning of an arrow says."""

_NODE: Final = re.compile(r"(\w+)(\(\[|\[\[)([a-z_.]+)(?:\]\)|\]\])")
_BOX: Final = r"(?:\(\[[^\]]*\]\)|\[\[[^\]]*\]\])?"
_ARROW: Final = re.compile(rf"(\w+){_BOX}\s+(-\.|--|==).*?>\s+(\w+)")


class Arrow(NamedTuple):
    """From one event to another."""

    source: str
    target: str
    way: str


def pictures() -> Iterator[Block]:
    """The pictures whose nodes are event types."""
    for page in PAGES:
        for block in blocks(page):
            if block.language == "mermaid" and _NODE.search(block.text):
                yield block


def named(block: Block) -> dict[str, str]:
    """The event type that each node stands for."""
    return {name: label for name, _, label in _NODE.findall(block.text) if "." in label}


def arrows(block: Block) -> Iterator[Arrow]:
    """Every arrow between two event types."""
    nodes = named(block)
    for line in block.text.splitlines():
        found = _ARROW.search(line)
        if found and found[1] in nodes and found[3] in nodes:
            yield Arrow(nodes[found[1]], nodes[found[3]], WAYS[found[2]])


def possible() -> set[Arrow]:
    """What the annotations of the handlers say."""
    return {
        Arrow(short(taken.event_type), short(emits.data.event_type), emits.via)
        for handler in failover_app().handlers
        for taken in handler.takes
        for emits in handler.emits
    }


def short(name: str) -> str:
    return name.removeprefix("dev.crosswind.").removesuffix(".v1")


PICTURES: Final = [block for block in pictures() if any(arrows(block))]


def test_the_pictures_are_found() -> None:
    pages = {ROOT / "README.md", DOCS / "failover.md", DOCS / "evidence.md"}
    assert {block.page for block in PICTURES} == pages
    assert sum(len(list(arrows(block))) for block in PICTURES) > 40


@pytest.mark.parametrize("block", PICTURES, ids=lambda block: block.where)
def test_each_arrow_is_in_the_code(block: Block) -> None:
    assert set(arrows(block)) <= possible()


@pytest.mark.parametrize("block", PICTURES, ids=lambda block: block.where)
def test_each_line_of_a_picture_is_understood(block: Block) -> None:
    lines = [line for line in block.text.splitlines() if re.search(r"[-=]>", line)]
    assert len(list(arrows(block))) == len(lines)


@pytest.mark.parametrize("block", PICTURES, ids=lambda block: block.where)
def test_the_double_boxes_are_the_events_that_end_a_chain(block: Block) -> None:
    ends = {
        short(emits.data.event_type)
        for handler in failover_app().handlers
        for emits in handler.emits
        if emits.data.ends
    }
    for _, box, label in _NODE.findall(block.text):
        assert (box == "[[") == (label in ends), label


def test_the_picture_of_the_whole_graph_shows_every_event() -> None:
    drawn = Path(DOCS / "failover.svg").read_text(encoding="utf-8")
    for arrow in possible():
        assert arrow.target in drawn
