"""The rules that every data model keeps, checked when its class is made."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any, Generic, Literal, TypeVar

import pytest
from pydantic import (
    AwareDatetime,
    BaseModel,
    Field,
    PydanticUserError,
    Secret,
    SecretBytes,
    SecretStr,
    ValidationError,
    create_model,
)
from typing_extensions import TypeAliasType, TypedDict

from crosswind_events import Codec, EventData, Instant, InvalidEvent, Part
from unit.events.drawn import NOON, Moved, Place, plain

T = TypeVar("T")


class Login(BaseModel):
    token: list[SecretStr]


@dataclasses.dataclass
class Account:
    login: Login


class Vault(TypedDict):
    account: Account


class Dated(BaseModel):
    when: AwareDatetime


class Marked(BaseModel):
    when: Instant


class Tagged(TypedDict):
    when: Instant


class Box(BaseModel, Generic[T]):
    item: T


class Node(BaseModel):
    value: int
    next: Node | None = None


def make(annotation: Any) -> type[EventData]:
    """Make an event type with one field."""

    class Made(EventData, type="com.example.made.v1"):
        field: annotation

    return Made


def test_a_type_is_named_once_in_the_class_line() -> None:
    class Drained(EventData, type="com.example.region.drained.v1", ends="drained-in-time"):
        region: str

    assert Drained.event_type == "com.example.region.drained.v1"
    assert Drained.ends == "drained-in-time"
    assert Moved.ends == "completed"
    assert make(int).ends is None


def test_a_missing_type_says_how_to_name_it() -> None:
    with pytest.raises(TypeError, match=r'class Nameless\(EventData, type="com\.example'):

        class Nameless(EventData):
            pass


def test_a_type_is_not_inherited() -> None:
    with pytest.raises(TypeError, match="must name its event type"):

        class Further(Moved):
            pass


@pytest.mark.parametrize(
    "name",
    [
        "",
        "moved",
        ".moved",
        "a..b",
        "com.example.",
        "com example.x",
        "com.exämple",
        "a.b\n",
        "com." + "x" * 125,
        "it's.moved",
        'a."b"',
        7,
    ],
)
def test_a_malformed_type_is_refused(name: Any) -> None:
    with pytest.raises(TypeError, match="must name its event type"):

        class Bad(EventData, type=name):
            pass


@pytest.mark.parametrize("name", ["a.b", "com." + "x" * 124, "google.cloud.audit.log.v1.written"])
def test_a_type_may_be_anyone_s(name: str) -> None:
    class Good(EventData, type=name):
        pass

    assert Good.event_type == name


@pytest.mark.parametrize("ends", ["", "Done", "so so", "x" * 33, 1])
def test_a_malformed_ending_is_refused(ends: Any) -> None:
    with pytest.raises(TypeError, match="ends= must be a word"):

        class Bad(EventData, type="com.example.bad.v1", ends=ends):
            pass


def test_an_unknown_word_in_the_class_line_is_refused() -> None:
    with pytest.raises(TypeError):

        class Bad(EventData, type="com.example.bad.v1", end="done"):
            pass


@pytest.mark.parametrize("field", ["event_type", "ends"])
def test_a_field_must_not_hide_the_type(field: str) -> None:
    with pytest.raises(TypeError, match="must not be named"):
        types.new_class(
            "Bad",
            (EventData,),
            {"type": "com.example.bad.v1"},
            lambda namespace: namespace.update(__annotations__={field: str}),
        )


def test_a_shared_field_must_not_hide_the_type_either() -> None:
    class Shared(Part):
        event_type: str

    with pytest.raises(TypeError, match="must not be named event_type"):

        class Bad(Shared, EventData, type="com.example.bad.v1"):
            pass


@pytest.mark.parametrize(
    "name",
    [
        "type",
        "default",
        "config",
        "cls",
        "metadata",
        "members",
        "expected",
        "serialization",
        "fields",
        "choices",
        "function",
        "schema_",
        "items_schema",
        "data",
        "id",
    ],
)
def test_the_rules_hold_for_a_field_of_any_name(name: str) -> None:
    class Named(EventData, type="com.example.named.v1"):
        __annotations__ = {name: dict[str, datetime | int]}

    for value in ("2030-01-31T12:00:00", "3", 3.0):
        with pytest.raises(ValidationError):
            Named(**{name: {"a": value}})
    assert Named(**{name: {"a": "2030-01-31T14:00:00+02:00"}}).model_dump() == {name: {"a": NOON}}


def test_the_rules_hold_in_a_union_told_apart_by_a_tag() -> None:
    class Left(Part):
        kind: Literal["default"]
        n: int

    class Right(Part):
        kind: Literal["config"]
        at: datetime

    class Either(EventData, type="com.example.either.v1"):
        side: Annotated[Left | Right, Field(discriminator="kind")]

    assert Either(side={"kind": "config", "at": "2030-01-31T12:00:00Z"}).side == Right(
        kind="config", at=NOON
    )
    with pytest.raises(ValidationError, match="valid integer"):
        Either(side={"kind": "default", "n": "3"})


def test_a_field_may_have_any_name_on_the_wire() -> None:
    class Named(EventData, type="com.example.named.v1"):
        of_type: str = Field(alias="event_type")

    data = Named(event_type="x")
    assert data.of_type == "x"
    assert data.event_type == "com.example.named.v1"
    body = plain(type=data.event_type, data={"event_type": "x"})
    assert Codec([Named]).decode(_json(body)).data == data


@pytest.mark.parametrize("config", [{"extra": "allow"}, {"extra": "forbid"}, {"frozen": False}])
def test_a_model_stays_frozen_and_deaf_to_what_it_does_not_know(config: Any) -> None:
    with pytest.raises(TypeError, match="must stay frozen and ignore unknown fields"):

        class Bad(EventData, type="com.example.bad.v1"):
            model_config = config


def test_data_cannot_be_changed() -> None:
    data = Moved(place=Place(name="here"), count=1)
    with pytest.raises(ValidationError, match="frozen"):
        data.count = 2  # type: ignore[misc]  # what is tried here


@pytest.mark.parametrize(
    "annotation",
    [
        SecretStr,
        SecretBytes,
        Secret[int],
        SecretStr | None,
        list[SecretStr],
        Mapping[str, tuple[SecretBytes, ...]],
        Annotated[SecretStr, Field(max_length=3)],
        dict[str, list[Secret[str] | None]],
        TypeAliasType("Hidden", SecretStr),
        Login,
        Account,
        Vault,
        list[Vault] | None,
        Box[SecretStr],
    ],
)
def test_a_secret_anywhere_in_event_data_is_refused(annotation: Any) -> None:
    with pytest.raises(TypeError, match=r"Made\.field would carry a secret.*reference"):
        make(annotation)


def test_a_secret_behind_a_forward_reference_is_refused_once_it_is_known() -> None:
    class Early(EventData, type="com.example.early.v1"):
        later: Later

    class Later(BaseModel):
        token: SecretStr

    with pytest.raises(TypeError, match="would carry a secret"):
        Early.model_rebuild()


def test_a_secret_in_a_part_is_refused_where_the_part_is_made() -> None:
    with pytest.raises(TypeError, match=r"Hidden\.token would carry a secret"):

        class Hidden(Part):
            token: SecretStr


@pytest.mark.parametrize("annotation", [int, Node, Box[int], dict[str, Any], type[int], object])
def test_other_fields_are_let_through(annotation: Any) -> None:
    assert make(annotation).model_fields.keys() == {"field"}


def test_a_mistake_in_a_user_s_model_shows_when_it_is_made() -> None:
    class Strange:
        pass

    with pytest.raises(PydanticUserError, match="Strange"):
        make(Strange)


@pytest.mark.parametrize(
    "annotation",
    [Dated, list[Dated], TypeAliasType("When", datetime), create_model("M", t=datetime)],
)
def test_a_date_in_a_foreign_class_must_be_an_instant(annotation: Any) -> None:
    with pytest.raises(TypeError, match="derive that class from Part, or annotate"):
        make(annotation)


@pytest.mark.parametrize("annotation", [Marked, Tagged, TypeAliasType("When", Instant)])
def test_an_instant_in_a_foreign_class_is_read_as_utc(annotation: Any) -> None:
    model = make(annotation)
    value: Any = "2030-01-31T14:00:00+02:00"
    data: Any = model(field=value if isinstance(annotation, TypeAliasType) else {"when": value})
    found = data.model_dump()["field"]
    found = found["when"] if isinstance(found, dict) else found
    assert found == NOON
    assert found.tzinfo is UTC


@pytest.mark.parametrize("annotation", [datetime, AwareDatetime, Instant])
def test_dates_are_read_in_any_offset_and_written_as_utc(annotation: Any) -> None:
    model = make(list[annotation])
    data: Any = model(
        field=["2030-01-31t14:00:00.25+02:00", NOON.astimezone(timezone(timedelta(hours=9)))]
    )
    assert [moment.tzinfo for moment in data.field] == [UTC, UTC]
    assert data.model_dump_json() == (
        '{"field":["2030-01-31T12:00:00.250000Z","2030-01-31T12:00:00Z"]}'
    )


@pytest.mark.parametrize(
    "value",
    [
        "2030-01-31",
        "2030-01-31T12:00:00",
        "2030-01-31T12:00Z",
        "20300131T120000Z",
        "2030-W05-4T12:00:00Z",
        "2030-01-31T24:00:00Z",
        "2030-01-31T12:00:60Z",
        "2030-01-31T12:00:00+0200",
        "2030-01-31T12:00:00+24:00",
        "2030-02-30T12:00:00Z",
        "1900000000",
        "",
        1900000000,
        1900000000.5,
        None,
        True,
        datetime(2030, 1, 31, 12),
    ],
)
def test_what_is_no_rfc_3339_date_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        make(datetime)(field=value)


def test_a_date_outside_the_calendar_is_refused() -> None:
    with pytest.raises(ValidationError, match="years 1 to 9999"):
        make(datetime)(field="0001-01-01T00:00:00+10:00")


def test_a_bound_on_a_date_holds() -> None:
    model = make(Annotated[datetime, Field(ge=NOON)])
    assert model(field="2030-01-31T13:00:00+01:00")
    with pytest.raises(ValidationError, match="greater than or equal"):
        model(field="2030-01-31T12:59:59+01:00")


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (int, "3"),
        (int, 3.0),
        (int, True),
        (float, "3"),
        (float, True),
        (float, float("nan")),
        (bool, 1),
        (bool, "true"),
        (list[int], ["3"]),
        (dict[str, bool], {"a": 0}),
        (int | None, "3"),
    ],
)
def test_a_number_is_a_number(annotation: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        make(annotation)(field=value)


def test_what_is_convenient_in_a_program_is_taken() -> None:
    class Loose(EventData, type="com.example.loose.v1"):
        share: float
        names: tuple[str, ...]
        place: Place

    data = Loose.model_validate({"share": 1, "names": ["a"], "place": {"name": "x"}})
    assert data == Loose(share=1.0, names=("a",), place=Place(name="x"))


def test_a_model_may_refer_to_itself() -> None:
    class Tree(EventData, type="com.example.tree.v1"):
        at: datetime
        branches: tuple[Tree, ...] = ()

    body = plain(
        type="com.example.tree.v1",
        data={"at": "2030-01-31T12:00:00Z", "branches": [{"at": "2030-01-31T13:00:00+01:00"}]},
    )
    data = Codec([Tree]).decode(_json(body)).data
    assert data == Tree(at=NOON, branches=(Tree(at=NOON),))


def test_a_codec_waits_for_forward_references() -> None:
    class Outer(EventData, type="com.example.outer.v1"):
        inner: Inner

    codec = Codec([Outer])

    class Inner(Part):
        n: int

    Outer.model_rebuild()
    decoded = codec.decode(_json(plain(type="com.example.outer.v1", data={"inner": {"n": 1}})))
    assert decoded.data.inner == Inner(n=1)


def test_unknown_fields_are_ignored_and_never_written() -> None:
    codec = Codec([Moved])
    tree = plain(
        data={"place": {"name": "here", "floor": 3}, "count": 1, "colour": {"deep": [1, 2]}}
    )
    event = codec.decode(_json(tree))
    assert event.data == Moved(place=Place(name="here"), count=1)
    assert b"floor" not in codec.encode(event)
    assert b"colour" not in codec.encode(event)


def test_a_validator_s_own_words_are_passed_on() -> None:
    from pydantic import field_validator

    class Even(EventData, type="com.example.even.v1"):
        n: int

        @field_validator("n")
        @classmethod
        def even(cls, n: int) -> int:
            if n % 2:
                raise ValueError("must be even")
            return n

    with pytest.raises(InvalidEvent, match=r"data\.n: must be even"):
        Codec([Even]).decode(_json(plain(type="com.example.even.v1", data={"n": 3})))


def _json(tree: Any) -> bytes:
    return json.dumps(tree).encode()
