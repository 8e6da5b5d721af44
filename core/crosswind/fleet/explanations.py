"""Faults that pydantic finds in a declaration, as sentences that say what to write instead."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

from crosswind.fleet.consistency import Fault, Path, suggestion
from crosswind.fleet.declaration import Fleet

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

_KEY: Final = "[key]"
"""How pydantic ends the location of a key that is itself at fault."""

_NAMES: Final = {
    "name": "a name such as main: lower-case letters, digits and dashes, at most 63",
    "regions": "a region such as aws/us-east-1, gcp/us-central1 or azure/westeurope",
    "region": "a region such as aws/us-east-1, gcp/us-central1 or azure/westeurope",
    "workloads": "a name such as chat: lower-case letters, digits, dots and dashes, at most 63",
    "workload": "the name of a workload: lower-case letters, digits, dots and dashes, at most 63",
    "jurisdiction": "a country's code of two capital letters such as US or DE, or EU",
    "residency": "a country's code of two capital letters such as US or DE, or EU",
    "gpu": "a kind of GPU such as h100: letters, digits and . _ -",
    "gpus": "a kind of GPU such as h100: letters, digits and . _ -",
    "duration": "a duration such as 4w: a number and one of m, h, d, w, M, Q, Y",
    "failing_domains": "a domain such as grid:pjm: lower-case letters, digits and : . _ -",
    "kinds": "a kind of action such as endpoint.scale, or endpoint.* for all of a subject",
}
"""What a text must look like, by the field in which it stands."""

_SHAPES: Final = {
    "missing": "is missing",
    "model_type": "must be a mapping of fields",
    "mapping_type": "must be a mapping of names to values",
    "dict_type": "must be a mapping of names to values",
    "tuple_type": "must be a list",
    "string_type": "must be a text; quote it",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "finite_number": "must be a finite number",
}

_BOUNDS: Final = {
    "greater_than": ("must be more than {:g}", "gt"),
    "greater_than_equal": ("must be at least {:g}", "ge"),
    "less_than": ("must be less than {:g}", "lt"),
    "less_than_equal": ("must be at most {:g}", "le"),
    "too_short": ("must not be empty", "min_length"),
    "too_long": ("must have at most {} entries", "max_length"),
    "string_too_short": ("must not be empty", "min_length"),
    "string_too_long": ("must have at most {} characters", "max_length"),
}


def explain(error: ErrorDetails, model: type[BaseModel] = Fleet) -> Iterator[Fault]:
    """One error of pydantic as faults with their paths.

    Args:
        model: whose validation found it.
    """
    context = error.get("ctx", {})
    path: Path = error["loc"]
    if error["type"] == "inconsistent":
        yield from context["faults"]
        return
    if error["type"] == "nested":
        for inner in context["errors"]:
            for fault in explain(inner, context["model"]):
                yield Fault((*path, *fault.path), fault.problem)
        return
    if error["type"] == "too_short" and len(error["input"]) >= context["min_length"]:
        return  # only what is wrong in it was left out
    is_key = bool(path) and path[-1] == _KEY
    if is_key:
        path = path[:-1]
    yield Fault(path, _sentence(error, path, path[:-1] if is_key else path, model))


def written(path: Path) -> str:
    """A path for people: `workloads.chat.regions`, `alerts[0].workload`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _sentence(error: ErrorDetails, path: Path, subject: Path, model: type[BaseModel]) -> str:
    """One error in words; `subject` is the path of the field whose value or key is at fault."""
    kind, found, context = error["type"], _excerpt(error["input"]), error.get("ctx", {})
    if kind == "missing":
        return f"is missing; write {_example(path, model)}"
    if kind == "extra_forbidden":
        return f"is not known here; {suggestion(str(path[-1]), _fields(path[:-1], model))}"
    if kind == "literal_error":
        return f"is {found}; write {context['expected']}"
    if kind == "value_error":
        return f"{found} {context['error']}"
    if kind == "string_pattern_mismatch":
        field = next(step for step in reversed(subject) if isinstance(step, str))
        return f"{found} is not {_NAMES[field]}"
    if kind in _BOUNDS:
        sentence, bound = _BOUNDS[kind]
        return f"is {found}; it {sentence.format(context[bound])}"
    return f"is {found}; it {_SHAPES[kind]}" if kind in _SHAPES else error["msg"]


def _excerpt(value: Any) -> str:
    if isinstance(value, dict):
        return f"a mapping of {len(value)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if value is None:
        return "empty"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _example(path: Path, model: type[BaseModel]) -> str:
    name = str(path[-1])
    (example, *_) = _fields(path[:-1], model)[name].examples or ("...",)
    return f"`{name}: {json.dumps(example)}`"


def _fields(path: Path, model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """The fields of the mapping at a path of a declaration, by the names that are written."""
    described: Any = model
    for step in path:
        arguments = get_args(described)
        if not arguments:
            described = _by_name(described)[str(step)].annotation
        elif issubclass(get_origin(described), Mapping):
            described = arguments[1]
        else:
            described = arguments[0]
        described = _one(described)
    return _by_name(described)


def _by_name(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _one(annotation: Any) -> Any:
    """What stands in an annotation beside None and metadata."""
    while get_origin(annotation) in (Annotated, Union, UnionType):
        annotation = get_args(annotation)[0]
    return annotation
