"""The filter of ListQueues.

The field description of ListQueuesRequest.filter,
https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2: comparisons of fields by
`<=, <, >=, >, !=, =, :`. Of the logging query language, to which it refers, there are comparisons
joined by AND; OR, NOT and parentheses are refused.
"""

import operator
import re
from collections.abc import Callable

from crosswind_local.errors import ServiceError
from crosswind_local.tasks.protocol import Pb, Queue, seconds

LETTERS = 2_000
"""Of a filter at most; of ours."""

Predicate = Callable[[Pb], bool]
Value = str | float

_COMPARISON = re.compile(
    r"""\s*(?P<path>[A-Za-z_][A-Za-z0-9_.]*)\s*(?P<sign><=|>=|!=|<|>|=|:)\s*
        (?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s"()]+))\s*""",
    re.VERBOSE,
)
_AND = re.compile(r"AND(?=\s)")
_SIGNS: dict[str, Callable[[Value, Value], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "=": operator.eq,
    "!=": operator.ne,
}


def parse(text: str) -> Predicate:
    """What a filter says of a queue; an empty one lets every queue pass.

    Raises:
        ServiceError: it cannot be read (INVALID_ARGUMENT).
    """
    if len(text) > LETTERS:
        raise _invalid(f"it has more than {LETTERS} characters")
    if not text.strip():
        return lambda queue: True
    comparisons: list[Predicate] = []
    at = 0
    while True:
        found = _COMPARISON.match(text, at)
        if found is None:
            raise _invalid(f"a comparison is expected at {text[at:].strip()[:40]!r}")
        comparisons.append(_comparison(found))
        at = found.end()
        if at == len(text):
            return lambda queue: all(holds(queue) for holds in comparisons)
        joined = _AND.match(text, at)
        if joined is None:
            raise _invalid(f"AND is expected at {text[at:][:40]!r}; there is no OR, NOT or (")
        at = joined.end()


def _comparison(found: re.Match[str]) -> Predicate:
    path, sign = found["path"], found["sign"]
    quoted = found["quoted"]
    text = found["bare"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    read = _reader(path)
    sample = read(Queue())
    if isinstance(sample, str):
        if sign == ":":
            return lambda queue: text.lower() in str(read(queue)).lower()
        return lambda queue: _SIGNS[sign](read(queue), text)
    try:
        wanted = float(text.removesuffix("s"))
    except ValueError as error:
        raise _invalid(f"{path} is compared with {text[:40]!r}, which is no number") from error
    compare = operator.eq if sign == ":" else _SIGNS[sign]
    return lambda queue: compare(read(queue), wanted)


def _reader(path: str) -> Callable[[Pb], Value]:
    """What reads a field, given in snake_case or camelCase, of a queue."""
    parts = [re.sub(r"(?<=[a-z])([A-Z])", r"_\1", part).lower() for part in path.split(".")]
    descriptor = Queue.DESCRIPTOR
    for part in parts:
        field = None if descriptor is None else descriptor.fields_by_name.get(part)
        if field is None or field.is_repeated:
            raise _invalid(f"a queue has no field {path}")
        descriptor = field.message_type
    is_time = descriptor is not None and descriptor.full_name in {
        "google.protobuf.Duration",
        "google.protobuf.Timestamp",
    }
    if descriptor is not None and not is_time:
        raise _invalid(f"{path} is not a single value")
    names = field.enum_type.values_by_number if field is not None and field.enum_type else None

    def read(queue: Pb) -> Value:
        value = queue
        for part in parts:
            value = getattr(value, part)
        if is_time:
            return seconds(value)
        if names is not None:
            return names[value].name if value in names else str(value)
        return value if isinstance(value, str) else float(value)

    return read


def _invalid(problem: str) -> ServiceError:
    return ServiceError("INVALID_ARGUMENT", f"Invalid filter: {problem}.")
