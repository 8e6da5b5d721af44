"""Changes of fields that the server computes: `DocumentTransform.FieldTransform` of the API."""

import math
from collections.abc import Iterable

from crosswind_local.firestore import paths, values
from crosswind_local.firestore.protocol import Pb, Value
from crosswind_local.firestore.refusals import invalid

_LEAST, _MOST = -(2**63), 2**63 - 1
_REQUEST_TIME = 1
_NUMERIC = {"integer_value", "double_value"}


def check(transforms: Iterable[Pb]) -> None:
    """See that transforms can be carried out.

    Raises:
        ServiceError: one cannot (INVALID_ARGUMENT).
    """
    for transform in transforms:
        paths.parse_writable(transform.field_path)
        kind = transform.WhichOneof("transform_type")
        match kind:
            case None:
                raise invalid(f"The transform of {transform.field_path} names no operation.")
            case "set_to_server_value":
                if transform.set_to_server_value != _REQUEST_TIME:
                    raise invalid("The only value that the server can set is REQUEST_TIME.")
            case "increment" | "maximum" | "minimum":
                operand = getattr(transform, kind)
                if operand.WhichOneof("value_type") not in _NUMERIC:
                    raise invalid(f"The operand of {kind} must be an integer or a double.")
            case _:
                for element in getattr(transform, kind).values:
                    values.settle_value(element, in_array=True)


def apply(transform: Pb, fields: Pb, now: Pb) -> Pb:
    """Carry out one transform on fields; returns its result.

    `now` is a Timestamp, which is cut to milliseconds as the API says.
    """
    path = paths.parse(transform.field_path)
    current = paths.find(fields, path)
    kind = transform.WhichOneof("transform_type")
    match kind:
        case "set_to_server_value":
            result = Value(timestamp_value=now)
            result.timestamp_value.nanos -= result.timestamp_value.nanos % 1_000_000
        case "increment":
            result = _increment(current, transform.increment)
        case "maximum" | "minimum":
            result = _extreme(current, getattr(transform, kind), largest=kind == "maximum")
        case _:
            adds = kind == "append_missing_elements"
            elements = _appended if adds else _removed
            before = (
                list(current.array_value.values)
                if current is not None and current.HasField("array_value")
                else []
            )
            array = Value()
            array.array_value.SetInParent()
            array.array_value.values.extend(elements(before, getattr(transform, kind).values))
            paths.put(fields, path, array)
            return Value(null_value=0)
    paths.put(fields, path, result)
    return result


def _number(value: Pb | None) -> int | float | None:
    if value is None:
        return None
    kind = value.WhichOneof("value_type")
    number: int | float | None = getattr(value, kind) if kind in _NUMERIC else None
    return number


def _increment(current: Pb | None, operand: Pb) -> Pb:
    before, by = _number(current), _number(operand)
    if before is None or by is None:
        return _copied(operand)
    if isinstance(before, int) and isinstance(by, int):
        return Value(integer_value=max(_LEAST, min(_MOST, before + by)))
    return Value(double_value=float(before) + float(by))


def _extreme(current: Pb | None, operand: Pb, *, largest: bool) -> Pb:
    before, given = _number(current), _number(operand)
    if current is None or before is None or given is None:
        return _copied(operand)
    if math.isnan(before) or math.isnan(given):
        return Value(double_value=math.nan)
    # What is equal stays as it is stored: 3 remains 3 when 3.0 is given.
    wins = given > before if largest else given < before
    return _copied(operand if wins else current)


def _appended(before: list[Pb], given: Iterable[Pb]) -> list[Pb]:
    present = {values.key(element) for element in before}
    for element in given:
        found = values.key(element)
        if found not in present:
            present.add(found)
            before.append(element)
    return before


def _removed(before: list[Pb], given: Iterable[Pb]) -> list[Pb]:
    unwanted = {values.key(element) for element in given}
    return [element for element in before if values.key(element) not in unwanted]


def _copied(value: Pb) -> Pb:
    copy = Value()
    copy.CopyFrom(value)
    return copy
