"""Data made from a JSON Schema alone, so that every type of the catalogue is tried."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]

_REGIONS = st.sampled_from(["aws/us-east-1", "gcp/us-central1", "azure/eastus2", "gcp/global"])
_DATES = st.sampled_from(["2030-01-31T12:00:00Z", "1999-12-31T23:59:59.999999Z"])
_TEXT = st.characters(exclude_categories=["Cs", "Cc"])


def values(schema: Schema, root: Schema | None = None) -> st.SearchStrategy[Any]:
    """Values that a schema of the kinds pydantic makes lets through."""
    root = root or schema
    if "$ref" in schema:
        return values(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return st.one_of([values(choice, root) for choice in schema["anyOf"]])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "object":
        return _objects(schema, root)
    if schema["type"] == "array":
        return st.lists(
            values(schema["items"], root), min_size=schema.get("minItems", 0), max_size=2
        )
    return _scalars(schema)


def _objects(schema: Schema, root: Schema) -> st.SearchStrategy[Any]:
    if "properties" not in schema:
        return st.dictionaries(
            values({"type": "string", **schema.get("propertyNames", {})}, root),
            values(schema["additionalProperties"], root),
            max_size=2,
        )
    members = {name: values(member, root) for name, member in schema["properties"].items()}
    required = {name: members.pop(name) for name in schema.get("required", ())}
    return st.fixed_dictionaries(required, optional=members)


def _scalars(schema: Schema) -> st.SearchStrategy[Any]:
    kind = schema["type"]
    if kind == "string":
        if schema.get("format") == "date-time":
            return _DATES
        if "pattern" in schema:
            return _REGIONS
        return st.text(_TEXT, min_size=schema.get("minLength", 0), max_size=12)
    if kind == "boolean":
        return st.booleans()
    if kind == "null":
        return st.none()
    least, most = schema.get("minimum", -1000), schema.get("maximum", 1000)
    if kind == "integer":
        return st.integers(least, most)
    return st.floats(least, most, exclude_min="exclusiveMinimum" in schema, allow_nan=False).map(
        lambda number: number or 0.0
    )
