"""A binding admits by an event's attributes what its filter admits of the event itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.buses.routing import Binding, Routes
from crosswind.handlers import Where
from crosswind_events import Event
from crosswind_events.catalogue.region import RegionRecovered

names = st.sampled_from(["place", "hop", "simulated"])
values = st.one_of(st.sampled_from(["aws", "1", "true", ""]), st.integers(0, 2), st.booleans())
subjects = st.sampled_from(["", "a", "aws/", "aws/us-east-1", "b"])
wheres = st.builds(
    Where,
    subject=subjects,
    extensions=st.dictionaries(names, values, max_size=2).map(lambda d: tuple(d.items())),
)


@given(
    where=wheres,
    subject=st.none() | subjects,
    extensions=st.dictionaries(names, values, max_size=3),
)
def test_a_binding_agrees_with_its_filter_also_after_it_was_stored(
    where: Where, subject: str | None, extensions: dict[str, str | int | bool]
) -> None:
    event = Event.of(
        RegionRecovered(region="aws/us-east-1", evidence="probe", reason="answers"),
        id="1",
        source="//test",
        time=datetime.now(UTC),
        subject=subject,
        extensions=extensions,
    )
    attributes = {"type": event.type, **extensions, **({"subject": subject} if subject else {})}
    binding = Binding(event.type, where)

    assert binding.admits(attributes) == where.admits(event)
    assert Binding.of(event.type, binding.filter()).admits(attributes) == where.admits(event)


@pytest.mark.parametrize(
    "where", [None, Where(), Where("aws/"), Where("a", (("x", "1"), ("y", 1), ("z", True)))]
)
def test_a_stored_filter_is_read_back_as_it_was(where: Where | None) -> None:
    assert Binding.of("t.v1", Binding("t.v1", where).filter()) == Binding("t.v1", where)


def test_the_order_of_extensions_makes_no_other_filter() -> None:
    one, other = (Where(extensions=pairs) for pairs in ((("a", 1), ("b", 2)), (("b", 2), ("a", 1))))

    assert Binding("t.v1", one).filter() == Binding("t.v1", other).filter()


def test_an_unknown_type_goes_nowhere() -> None:
    routes = Routes([("ops", Binding("t.v1"))])

    assert list(routes.groups({"type": "t.v1"})) == ["ops"]
    assert list(routes.groups({"type": "t.v2"})) == []
