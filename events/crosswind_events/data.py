"""What an event says: the base of every data model, and the rules each one keeps.

    class RegionDrained(EventData, type="com.example.region.drained.v1", ends="completed"):
        region: Region
        at: datetime

That is all a type of one's own takes. The rules are checked when the class is made, so a model
that breaks one never reaches a bus:

- the type is named once, in the class line;
- models are frozen and ignore fields they do not know, so that a newer sender can be read;
- a `datetime` is RFC 3339 on the wire and UTC in the program, and a number is no string: what
  the JSON Schema of a type refuses is refused;
- no field holds a secret: events are stored, logged and replayed, so they hold references.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import is_dataclass
from datetime import datetime
from typing import Any, ClassVar, get_args, get_type_hints

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    FutureDatetime,
    GetCoreSchemaHandler,
    NaiveDatetime,
    PastDatetime,
    Secret,
    SecretBytes,
    SecretStr,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

from .instant import InUtc, in_utc, is_in_utc

# EventBridge carries the type as DetailType and takes 128 characters of it (PutEvents API);
# quotes and blanks are left out because the type is written into the buses' filter languages.
_TYPE = re.compile(r"(?=.{3,128}\Z)[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+").fullmatch
_ENDS = re.compile(r"[a-z][a-z-]{0,31}").fullmatch
_SECRETS = (SecretStr, SecretBytes, Secret)
_DATES = (datetime, AwareDatetime, NaiveDatetime, PastDatetime, FutureDatetime)

_REFER = "would carry a secret; events are stored and logged, so let it hold a reference instead"
_LOOSE = (
    "holds a date inside a class that is no Part; derive that class from Part, or annotate the "
    "date as Instant"
)


def _field_flaw(field: FieldInfo, foreign: bool, seen: dict[int, Any]) -> str | None:
    if InUtc in field.metadata:
        return None
    return _first(_flaw(inner, foreign, seen) for inner in (field.annotation, *field.metadata))


def _flaw(annotation: Any, foreign: bool, seen: dict[int, Any]) -> str | None:
    """Find in an annotation, and in every class nested there, what event data must not hold.

    Dates are found in `foreign` classes only: those of a Part are made UTC by the Part itself.
    """
    if id(annotation) in seen or InUtc in getattr(annotation, "__metadata__", ()):
        return None
    seen[id(annotation)] = annotation  # held, so that no other annotation can get its id
    if isinstance(annotation, type):
        if issubclass(annotation, _SECRETS):
            return _REFER
        if issubclass(annotation, _DATES):
            return _LOOSE if foreign else None
        if issubclass(annotation, Part):
            return None  # looked through when it was made
        if issubclass(annotation, BaseModel):
            fields = annotation.__pydantic_fields__.values()
            return _first(_field_flaw(field, True, seen) for field in fields)
        if is_dataclass(annotation) or hasattr(annotation, "__total__"):
            hints = get_type_hints(annotation, include_extras=True).values()
            return _first(_flaw(hint, True, seen) for hint in hints)
    # A generic alias such as Secret[int] keeps its class apart from its arguments.
    inner = (getattr(annotation, "__origin__", None), *get_args(annotation))
    if flaw := _first(_flaw(each, foreign, seen) for each in inner):
        return flaw
    # What a `type X = ...` statement stands for is shared between models, as a class is.
    return _flaw(getattr(annotation, "__value__", None), True, seen)


def _first(flaws: Iterable[str | None]) -> str | None:
    return next(filter(None, flaws), None)


# Parts of a core schema that hold no schema, or that concern the way out rather than the way in.
_OPAQUE = frozenset(
    ("metadata", "default", "expected", "members", "cls", "config", "serialization")
)
# Parts whose keys are not those of a schema, but names that a user chose.
_NAMED = frozenset(("fields", "choices"))


def _tightened(node: Any) -> Any:
    """Copy a core schema with datetimes made UTC and numbers made strict ("3" is none).

    Classes that the schema refers to stay as they are; those that are Parts see to themselves.
    """
    if isinstance(node, list):
        return [_tightened(inner) for inner in node]
    if not isinstance(node, dict) or is_in_utc(node):
        return node
    match node.get("type"):
        case "datetime":
            return in_utc(node)
        case "int" | "float" | "bool":
            return {"strict": True, **node}
    return {key: _tightened_at(key, inner) for key, inner in node.items()}


def _tightened_at(key: str, inner: Any) -> Any:
    if key in _OPAQUE:
        return inner
    if key in _NAMED and isinstance(inner, dict):
        return {name: _tightened(each) for name, each in inner.items()}
    return _tightened(inner)


class Part(BaseModel):
    """A piece of event data that is no event of its own; nest it, or share fields through it."""

    # A number that JSON cannot write must not enter; see RFC 8259, section 6.
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        serialize_by_alias=True,
        defer_build=True,
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        config = cls.model_config
        if config.get("extra") != "ignore" or not config.get("frozen"):
            raise TypeError(
                f"{cls.__name__} must stay frozen and ignore unknown fields; remove `extra` and "
                "`frozen` from its model_config"
            )
        # The many built-in models are built on first use, so that importing them costs little. A
        # user's model is built at once, as pydantic does, so that its mistakes show at once.
        if not cls.__module__.startswith("crosswind_events."):
            cls.model_rebuild(raise_errors=False)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler, /
    ) -> CoreSchema:
        schema = handler(source)
        # The fields are read here because by now the class's forward references are resolved.
        for name, field in cls.__pydantic_fields__.items():
            if flaw := _field_flaw(field, False, {}):
                raise TypeError(f"{cls.__name__}.{name} {flaw}")
        tightened: CoreSchema = _tightened(schema)
        return tightened


class EventData(Part):
    """The data of one type of event.

    A subclass names its type in the class line with `type=`, and with `ends=` the outcome with
    which an event of this type ends its chain. Raises TypeError, when the class is made, for a
    missing or malformed name, and for fields that break a rule of this module.
    """

    event_type: ClassVar[str]
    ends: ClassVar[str | None] = None

    def __init_subclass__(cls, **keywords: Any) -> None:
        # Taken from `keywords` because a parameter named `type` would hide the builtin.
        name = keywords.pop("type", None)
        ends = keywords.pop("ends", None)
        super().__init_subclass__(**keywords)
        if not isinstance(name, str) or not _TYPE(name):
            raise TypeError(
                f"{cls.__name__} must name its event type in the class line, as in "
                f'class {cls.__name__}(EventData, type="com.example.thing.happened.v1"): words of '
                f"letters, digits, _ and - joined by dots, at most 128 characters; got {name!r:.99}"
            )
        if ends is not None and not (isinstance(ends, str) and _ENDS(ends)):
            raise TypeError(
                f"{cls.__name__}: ends= must be a word of lower-case letters and hyphens, such as "
                f'"completed"; got {ends!r:.99}'
            )
        fields = set(cls.__annotations__).union(
            *(getattr(base, "__pydantic_fields__", ()) for base in cls.__bases__)
        )
        if taken := {"event_type", "ends"} & fields:
            raise TypeError(
                f"{cls.__name__}: a field must not be named {taken.pop()}, which every model has "
                "for its own type; name the field otherwise and give it that name as alias"
            )
        cls.event_type = name
        cls.ends = ends

    @classmethod
    def __pydantic_init_subclass__(cls, **keywords: Any) -> None:
        keywords.pop("type", None)
        keywords.pop("ends", None)
        super().__pydantic_init_subclass__(**keywords)
