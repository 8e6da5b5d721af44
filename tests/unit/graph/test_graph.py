"""The graph of an app: read from annotations, drawn as Mermaid text and as SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind import Action, Answer, App, Branch, Context, Later, Start
from crosswind.graph import mermaid, svg
from crosswind.graph.layers import Box, arrange
from crosswind.graph.model import Graph, build, short
from crosswind_events import Event, EventData, RegionUnhealthy
from crosswind_events.catalogue.deadletter import DeadLettered
from crosswind_events.catalogue.schedule import Tick


class Looked(EventData, type="com.example.looked.v1"):
    pass


class Part(EventData, type="com.example.part.v1"):
    pass


class Whole(EventData, type="com.example.whole.v2", ends="completed"):
    pass


class Blow(Action[Answer], kind="horn.blow"):
    pass


def sample() -> App:
    """One of everything."""
    app = App("sample")

    @app.schedule(every=30.0)
    def tick(event: Event[Tick]) -> Iterator[Start[RegionUnhealthy]]:
        yield from ()

    @app.on(acts=[Blow])
    def hear(event: Event[RegionUnhealthy], ctx: Context) -> Iterator[Later[Looked] | Branch[Part]]:
        yield from ()

    @app.on()
    def look(event: Event[Looked]) -> Later[Looked] | Whole:
        return Whole()

    @app.on(name='<odd> "name" #1')
    def odd(event: Event[Part | DeadLettered]) -> Whole:
        return Whole()

    return app


def labelled(graph: Graph) -> dict[str, str]:
    return {node.id: node.label for node in graph.nodes}


def test_edges_say_what_leads_to_what_and_how() -> None:
    graph = build(sample())
    names = labelled(graph)
    assert {(names[e.source], names[e.target], e.way) for e in graph.edges} == {
        ("every 30 s", "tick", "ticks"),
        ("tick", "region.unhealthy", "start"),
        ("region.unhealthy", "hear", "takes"),
        ("hear", "com.example.looked", "later"),
        ("hear", "com.example.part", "branch"),
        ("com.example.looked", "look", "takes"),
        ("look", "com.example.looked", "later"),
        ("look", "com.example.whole.v2", "next"),
        ("com.example.part", '<odd> "name" #1', "takes"),
        ("deadletter", '<odd> "name" #1', "takes"),
        ('<odd> "name" #1', "com.example.whole.v2", "next"),
    }


def test_nodes_say_what_they_are() -> None:
    nodes = {node.label: node for node in build(sample()).nodes}
    assert nodes["region.unhealthy"].entry, "it opens chains, though a schedule starts it too"
    assert nodes["com.example.whole.v2"].ends == "completed"
    assert nodes["deadletter"].engine
    assert not nodes["deadletter"].entry
    assert "does horn.blow" in nodes["hear"].notes
    assert nodes["every 30 s"].kind == "schedule"


def test_names_are_short_as_long_as_that_is_clear() -> None:
    assert short("dev.crosswind.region.unhealthy.v1") == "region.unhealthy"
    assert short("com.example.whole.v2") == "com.example.whole.v2"


def test_mermaid_text_draws_every_way_differently() -> None:
    text = mermaid.draw(build(sample()))
    assert text.startswith("flowchart TD\n")
    for arrow in ("-->", "-. timer .->", "== branch ==>", "-. starts a chain .->"):
        assert arrow in text
    assert re.search(r"linkStyle \d+ stroke-dasharray", text)
    assert '[["com.example.whole.v2<br>ends: completed"]]:::ends' in text


def test_mermaid_text_cannot_be_broken_by_a_name() -> None:
    text = mermaid.draw(build(sample()))
    assert '["#lt;odd> #quot;name#quot; #35;1"]' in text
    for line in text.splitlines()[1:]:
        assert line.count('"') in (0, 2), line


def test_svg_is_well_formed_and_names_everything() -> None:
    graph = build(sample())
    root = ElementTree.fromstring(svg.draw(graph))
    shown = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert set(labelled(graph).values()) <= shown
    titles = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}title")]
    assert any("does horn.blow" in title for title in titles)
    assert "com.example.looked.v1 is taken by" in "\n".join(titles)


def test_svg_is_legible_in_light_and_in_dark() -> None:
    drawn = svg.draw(build(sample()))
    assert "prefers-color-scheme: dark" in drawn
    light, dark = drawn.split("@media", 1)
    colour = re.compile(r"\.(\w+)[^{}]*\{ fill:(#[0-9a-f]{6});")
    for sheet in (light, dark):
        fills = dict(colour.findall(sheet))
        ink = re.search(r"text \{ fill:(#[0-9a-f]{6})", sheet)
        assert ink is not None
        for name in ("paper", "event", "handler", "entry", "ends", "schedule"):
            assert contrast(fills[name], ink[1]) >= 7.0, name


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2, relative luminance)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_same_app_gives_the_same_picture() -> None:
    assert svg.draw(build(sample())) == svg.draw(build(sample()))


def test_an_app_without_handlers_has_a_picture_too() -> None:
    graph = build(App("empty"))
    assert ElementTree.fromstring(svg.draw(graph)).tag.endswith("svg")
    assert mermaid.draw(graph) == "flowchart TD\n"


def test_the_built_in_chain_can_be_drawn() -> None:
    from crosswind.chains.failover import app

    graph = build(app)
    assert len(graph.nodes) > 40
    ElementTree.fromstring(svg.draw(graph))


# -- the layout -------------------------------------------------------------------------------

GRAPHS = st.integers(1, 12).flatmap(
    lambda count: st.tuples(
        st.just(count),
        st.lists(
            st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(
                lambda edge: edge[0] != edge[1]
            ),
            max_size=30,
            unique=True,
        ),
    )
)


@given(GRAPHS)
@settings(max_examples=150, deadline=None)
def test_boxes_do_not_touch_and_edges_go_from_one_to_the_other(
    drawn: tuple[int, list[tuple[int, int]]],
) -> None:
    count, edges = drawn
    boxes = {f"n{i}": Box(60.0 + 10 * i, 30.0) for i in range(count)}
    layout = arrange(boxes, [(f"n{a}", f"n{b}") for a, b in edges])
    assert set(layout.spots) == set(boxes)
    rows: dict[float, list[str]] = {}
    for name, spot in layout.spots.items():
        rows.setdefault(spot.y, []).append(name)
        assert boxes[name].width / 2 - 1e-6 <= spot.x <= layout.width - boxes[name].width / 2 + 1e-6
    for names in rows.values():
        names.sort(key=lambda name: layout.spots[name].x)
        for left, right in pairwise(names):
            apart = layout.spots[right].x - layout.spots[left].x
            assert apart >= (boxes[left].width + boxes[right].width) / 2 + 8.9
    for number, (a, b) in enumerate(edges):
        way = layout.ways[number]
        assert (way[0], way[-1]) == (layout.spots[f"n{a}"], layout.spots[f"n{b}"])
        heights = [spot.y for spot in way]
        assert heights in (sorted(heights), sorted(heights, reverse=True)), "it does not turn"


def test_what_leads_to_what_stands_above_it() -> None:
    boxes = {name: Box(60.0, 30.0) for name in "abcd"}
    spots = arrange(boxes, [("a", "b"), ("b", "c"), ("a", "c"), ("d", "c")]).spots
    assert spots["a"].y < spots["b"].y < spots["c"].y
    assert spots["d"].y == spots["b"].y, "a source stands just above what it leads to"


@pytest.mark.parametrize("size", [200])
def test_a_large_graph_is_laid_out_in_seconds(size: int) -> None:
    boxes = {f"n{i}": Box(80.0, 30.0) for i in range(size)}
    edges = [(f"n{i}", f"n{(i * 7 + 3) % size}") for i in range(size)]
    layout = arrange(boxes, edges)
    assert len(layout.ways) == size
