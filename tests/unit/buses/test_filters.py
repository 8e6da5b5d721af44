"""What a group wants of each type agrees with where the routes send an event."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from crosswind.buses.filters import wanted
from crosswind.buses.routing import Binding, Routes
from crosswind.handlers import Where
from crosswind_events import Event
from crosswind_events.catalogue.region import RegionRecovered

KIND = RegionRecovered.event_type
names = st.sampled_from(["place", "hop", "source", "group"])
values = st.sampled_from(["aws", "1"]) | st.integers(0, 2) | st.booleans()
wheres = st.builds(
    Where,
    subject=st.sampled_from(["", "aws/", "b"]),
    extensions=st.lists(st.tuples(names, values), max_size=2).map(tuple),
)


def test_a_binding_without_a_filter_wants_all_whatever_stands_beside_it() -> None:
    given = [
        Binding("a", Where("x")),
        Binding("a"),
        Binding("b", Where()),
        Binding("c", Where("y")),
    ]

    assert wanted(given) == {"a": None, "b": None, "c": [Where("y")]}


def test_equal_filters_occur_once_and_impossible_ones_not_at_all() -> None:
    twice = Where(extensions=(("hop", 1), ("hop", 1)))
    impossible = [
        Where(extensions=(("source", "x"),)),
        Where(extensions=(("group", "ops"),)),
        Where(extensions=(("hop", 1), ("hop", True))),
    ]

    given = [Binding("a", where) for where in (twice, *impossible, twice)]

    assert wanted(given) == {"a": [twice]}
    assert wanted([Binding("a", where) for where in impossible]) == {"a": []}


@given(
    given_wheres=st.lists(st.none() | wheres, min_size=1, max_size=4),
    subject=st.sampled_from(["", "aws/us-east-1", "b"]),
    extensions=st.dictionaries(st.sampled_from(["place", "hop"]), values, max_size=2),
)
def test_what_passes_one_of_them_is_what_is_routed(
    given_wheres: list[Where | None], subject: str, extensions: dict[str, str | int | bool]
) -> None:
    bindings = [Binding(KIND, where) for where in given_wheres]
    event = Event.of(
        RegionRecovered(region="aws/us-east-1", evidence="probe", reason="answers"),
        id="1",
        source="//test",
        time=datetime(2026, 3, 1, tzinfo=UTC),
        subject=subject or None,
        extensions=extensions,
    )
    attributes = {"type": KIND, "subject": subject, **extensions}

    filters = wanted(bindings)[KIND]

    passes = filters is None or any(where.admits(event) for where in filters)
    routed = Routes([("ops", one) for one in bindings]).groups(attributes)
    assert list(routed) == (["ops"] if passes else [])
