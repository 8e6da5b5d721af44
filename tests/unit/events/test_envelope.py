"""The envelope: frozen, typed, cheap, and named by its source and id."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any, assert_type

import pytest

from crosswind_events import ABSENT, Codec, Event, EventData, Raw
from crosswind_events.envelope import assemble
from unit.events.drawn import NOON, Moved, Place

MOVED = Moved(place=Place(name="here"), count=1)


def event(**changes: Any) -> Event[Moved]:
    return dataclasses.replace(Event.of(MOVED, id="1", source="/s", time=NOON), **changes)


def test_an_event_takes_its_type_from_its_data() -> None:
    made = Event.of(MOVED, id="1", source="/s", time=NOON)
    assert_type(made, Event[Moved])
    assert made.type == "com.example.thing.moved.v1"
    assert made.datacontenttype == "application/json"
    assert made.subject is None
    assert made.dataschema is None
    assert made.extensions == {}


def test_an_event_of_one_type_is_an_event_of_any() -> None:
    anything: Event[EventData] = Event.of(MOVED, id="1", source="/s", time=NOON)
    assert anything.data is MOVED


def test_an_event_cannot_be_changed() -> None:
    made = event()
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.id = "2"  # type: ignore[misc]  # what is tried here
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.colour = "red"  # type: ignore[attr-defined]  # likewise
    with pytest.raises(dataclasses.FrozenInstanceError):
        del made.id
    assert not hasattr(made, "__dict__")


def test_an_event_keeps_its_own_extensions() -> None:
    given = {"hop": 1}
    made = Event.of(MOVED, id="1", source="/s", time=NOON, extensions=given)
    given["hop"] = 2
    assert made.extensions == {"hop": 1}


def test_an_event_is_hashed_by_source_and_id() -> None:
    assert hash(event()) == hash(event(subject="other"))
    assert len({event(), event(), event(id="2")}) == 2


def test_a_subscripted_event_still_makes_events() -> None:
    made = Event[Moved](id="1", source="/s", type=Moved.event_type, time=NOON, data=MOVED)
    assert made == event()


def test_an_assembled_event_is_an_event_like_any_other() -> None:
    made = assemble("1", "/s", Moved.event_type, NOON, MOVED, None, "application/json", None, {})
    assert type(made) is Event
    assert made == event()
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.id = "2"  # type: ignore[misc]  # what is tried here


@pytest.mark.parametrize("made", [event(), Codec([Moved]).decode(Codec().encode(event()))])
def test_an_event_can_be_copied_pickled_and_replaced(made: Event[Moved]) -> None:
    assert pickle.loads(pickle.dumps(made)) == made
    assert copy.deepcopy(made) == made
    assert dataclasses.replace(made, subject="x").subject == "x"


def test_no_data_is_not_null() -> None:
    assert Raw() == Raw(ABSENT) != Raw(None)
    assert repr(Raw()) == "Raw(value=ABSENT)"
    assert pickle.loads(pickle.dumps(Raw())).value is ABSENT
