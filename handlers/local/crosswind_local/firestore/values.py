"""Values: their order, what may be stored, and how much it weighs.

"Supported data types" for the order, https://cloud.google.com/firestore/docs/concepts/data-types;
"Storage size calculations", https://cloud.google.com/firestore/docs/storage-size; "Quotas and
limits" for the rest, https://cloud.google.com/firestore/quotas
"""

import math
from typing import Any

from crosswind_local.firestore import limits, names, paths
from crosswind_local.firestore.protocol import Pb
from crosswind_local.firestore.refusals import invalid

Key = tuple[int, Any]
"""The rank of a value's type, and what orders it among its like."""

NULL, BOOLEAN, NUMBER, TIMESTAMP, STRING, BYTES, REFERENCE, GEO, ARRAY, VECTOR, MAP = range(11)

_NAN: Key = (NUMBER, (0, 0))
_NO_CUT = 2 * limits.REQUEST_BYTES
_YEAR_1 = -62_135_596_800
_YEAR_10000 = 253_402_300_800
_VECTOR_TYPE = "__type__"
_VECTOR_MARK = "__vector__"
_MAP_BYTES = 32


def key(value: Pb, cut: int = _NO_CUT) -> Key:
    """What orders a value among all others; equal for values that count as equal.

    `cut` is how many bytes of a string are looked at; a query looks at the first 1,500.
    """
    match value.WhichOneof("value_type"):
        case "string_value":
            return (STRING, value.string_value.encode()[:cut])
        case "integer_value":
            return (NUMBER, (1, value.integer_value))
        case "double_value":
            number = value.double_value
            return _NAN if math.isnan(number) else (NUMBER, (1, number))
        case "boolean_value":
            return (BOOLEAN, value.boolean_value)
        case "timestamp_value":
            return (TIMESTAMP, (value.timestamp_value.seconds, value.timestamp_value.nanos))
        case "bytes_value":
            return (BYTES, value.bytes_value[:cut])
        case "reference_value":
            return (REFERENCE, names.sort_key(value.reference_value))
        case "geo_point_value":
            return (GEO, (value.geo_point_value.latitude, value.geo_point_value.longitude))
        case "array_value":
            return (ARRAY, tuple(key(element, cut) for element in value.array_value.values))
        case "map_value":
            fields = value.map_value.fields
            if is_vector(fields):
                elements = fields["value"].array_value.values
                return (VECTOR, (len(elements), tuple(key(element) for element in elements)))
            return (
                MAP,
                tuple(sorted((name.encode(), key(fields[name], cut)) for name in fields)),
            )
        case _:
            return (NULL, 0)


def name_key(name: str) -> Key:
    """What orders a document by its name: the key of a reference to it."""
    return (REFERENCE, names.sort_key(name))


def is_nan(found: Key) -> bool:
    """Whether a key is that of NaN."""
    return found == _NAN


def is_vector(fields: Pb) -> bool:
    """Whether a map is how a vector is written down."""
    return (
        _VECTOR_TYPE in fields
        and fields[_VECTOR_TYPE].string_value == _VECTOR_MARK
        and "value" in fields
        and len(fields) == 2
    )


def settle(fields: Pb, depth: int = 0) -> None:
    """See that fields may be stored, and round their timestamps down to microseconds.

    Raises:
        ServiceError: they may not (INVALID_ARGUMENT).
    """
    for name in fields:
        paths.check_name(name)
        settle_value(fields[name], depth)


def settle_value(value: Pb, depth: int = 0, *, in_array: bool = False) -> None:
    """See that a value may be stored; as `settle`."""
    if depth > limits.VALUE_DEPTH:
        raise invalid(f"Maps and arrays lie in each other deeper than {limits.VALUE_DEPTH} levels.")
    match value.WhichOneof("value_type"):
        case None:
            raise invalid("Cannot convert firestore.v1.Value with type unset.")
        case "string_value":
            _check_length("string", len(value.string_value.encode()))
        case "bytes_value":
            _check_length("bytes", len(value.bytes_value))
        case "timestamp_value":
            _settle_timestamp(value.timestamp_value)
        case "reference_value":
            names.check_document(value.reference_value)
        case "geo_point_value":
            _check_point(value.geo_point_value)
        case "array_value":
            if in_array:
                raise invalid("Cannot convert an array value in an array value.")
            for element in value.array_value.values:
                settle_value(element, depth + 1, in_array=True)
        case "map_value":
            if is_vector(value.map_value.fields):
                _check_vector(value.map_value.fields["value"])
            else:
                settle(value.map_value.fields, depth + 1)
        case "field_reference_value" | "variable_reference_value" | "function_value" as kind:
            raise invalid(f"A {kind} cannot be written to a document.")
        case "pipeline_value" as kind:
            raise invalid(f"A {kind} cannot be written to a document.")


def size_of_fields(fields: Pb) -> int:
    """The documented size of fields, in bytes."""
    return sum(len(name.encode()) + 1 + size_of(fields[name]) for name in fields)


def size_of(value: Pb) -> int:
    """The documented size of a value, in bytes."""
    match value.WhichOneof("value_type"):
        case "string_value":
            return len(value.string_value.encode()) + 1
        case "bytes_value":
            return len(value.bytes_value)
        case "reference_value":
            return size_of_name(value.reference_value)
        case "geo_point_value":
            return 16
        case "array_value":
            return sum(map(size_of, value.array_value.values))
        case "map_value":
            fields = value.map_value.fields
            if is_vector(fields):
                return 8 * len(fields["value"].array_value.values)
            return size_of_fields(fields) + _MAP_BYTES
        case "boolean_value" | "null_value":
            return 1
        case _:
            return 8


def size_of_name(name: str) -> int:
    """The documented size of a document's name, in bytes."""
    return sum(len(segment.encode()) + 1 for segment in names.relative(name)) + 16


def size_of_document(document: Pb) -> int:
    """The documented size of a document, in bytes."""
    return size_of_name(document.name) + size_of_fields(document.fields) + 32


def index_entries(fields: Pb) -> int:
    """How many entries of automatic single-field indexes fields need.

    "Index types", https://cloud.google.com/firestore/docs/query-data/index-overview: one ascending
    and one descending for each field, and one for each different element of an array.
    """
    entries = 0
    for name in fields:
        value = fields[name]
        entries += 2
        match value.WhichOneof("value_type"):
            case "array_value":
                entries += len({key(element) for element in value.array_value.values})
            case "map_value" if not is_vector(value.map_value.fields):
                entries += index_entries(value.map_value.fields)
    return entries


def _check_length(kind: str, length: int) -> None:
    if length > limits.VALUE_BYTES:
        raise invalid(
            f"The value of a property ({kind}) is longer than {limits.VALUE_BYTES} bytes."
        )


def _settle_timestamp(stamp: Pb) -> None:
    if not (_YEAR_1 <= stamp.seconds < _YEAR_10000 and 0 <= stamp.nanos < 1_000_000_000):
        raise invalid("A timestamp lies outside of the years 1 to 9999.")
    stamp.nanos -= stamp.nanos % 1000


def _check_point(point: Pb) -> None:
    # A comparison with NaN is false, so NaN is refused as well.
    if not (-90 <= point.latitude <= 90 and -180 <= point.longitude <= 180):
        raise invalid("A geographical point lies outside of the Earth's latitudes and longitudes.")


def _check_vector(value: Pb) -> None:
    elements = value.array_value.values
    if not 1 <= len(elements) <= limits.VECTOR_DIMENSIONS:
        raise invalid(f"A vector needs 1 to {limits.VECTOR_DIMENSIONS} dimensions.")
    if any(element.WhichOneof("value_type") != "double_value" for element in elements):
        raise invalid("A vector consists of doubles only.")
