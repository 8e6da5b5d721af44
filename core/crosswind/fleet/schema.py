"""The JSON Schema of fleet.yaml, for editors: what each field means stands beside it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel

from crosswind.fleet.declaration import Fleet

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_FIELDS: Final = re.compile(r"^\s*([\w, ]+): ", re.MULTILINE)


def fleet_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of fleet.yaml.

    It describes the shape; that names refer to each other and that declared placements keep the
    safety rules is checked when a fleet is loaded.
    """
    schema = Fleet.model_json_schema()
    described = {model.__name__: model for model in _models(Fleet)}
    for name, definition in {"Fleet": schema, **schema["$defs"]}.items():
        summary, fields = _said(described[name]) if name in described else ("", {})
        definition.pop("description", None)
        if summary:
            definition["description"] = summary
        for field, one in definition["properties"].items():
            if field in fields:
                one["description"] = fields[field]
    _closed(schema)
    return {"$schema": DIALECT, "title": "fleet.yaml of Crosswind", **schema}


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and all models in its fields."""
    yield model
    pending: list[Any] = [field.annotation for field in model.model_fields.values()]
    while pending:
        annotation = pending.pop()
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _models(annotation)
        pending += getattr(annotation, "__args__", ())


def _said(model: type[BaseModel]) -> tuple[str, Mapping[str, str]]:
    """What the docstring of a model says of it, and of each of its fields."""
    summary, _, attributes = inspect.cleandoc(model.__doc__ or "").partition("\n\nAttributes:\n")
    pieces = _FIELDS.split(_unfolded(attributes))
    fields = {
        name: text.strip()[:1].upper() + text.strip()[1:]
        for names, text in zip(pieces[1::2], pieces[2::2], strict=True)
        for name in names.split(", ")
    }
    return " ".join(summary.split()), fields


def _unfolded(attributes: str) -> str:
    """An entry a line: what is indented further belongs to the line above."""
    return re.sub(r"\n {8,}", " ", attributes)


def _closed(schema: Any) -> None:
    """Refuse names of another form also where a mapping is told by the form of its names."""
    pending = [schema]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            if "patternProperties" in one:
                one["additionalProperties"] = False
            if isinstance(one.get("title"), str):
                del one["title"]  # the name of the field once more
            pending += one.values()
        elif isinstance(one, list):
            pending += one
