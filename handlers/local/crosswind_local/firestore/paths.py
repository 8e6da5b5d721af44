"""Field paths: how a field of a document is named, found, set and removed.

The grammar is that of `Document.fields` in the v1 API: segments joined by ".", each a simple name
or anything in backticks, where a backslash stands before a backtick or a backslash.
"""

import re

from crosswind_local.firestore import limits
from crosswind_local.firestore.protocol import Pb
from crosswind_local.firestore.refusals import invalid

Path = tuple[str, ...]

NAME = "__name__"
"""The pseudo-field that is a document's own name."""

_SIMPLE = r"[A-Za-z_][A-Za-z_0-9]*"
_QUOTED = r"`(?:[^`\\]|\\.)+`"
_SEGMENT = re.compile(f"({_SIMPLE}|{_QUOTED})(\\.|$)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_RESERVED = re.compile(r"__.*__", re.DOTALL)


def parse(text: str) -> Path:
    """The segments of a field path.

    Raises:
        ServiceError: it is no field path, or too long (INVALID_ARGUMENT).
    """
    if len(text.encode()) > limits.FIELD_PATH_BYTES:
        raise invalid(f"A property path is longer than {limits.FIELD_PATH_BYTES} bytes.")
    segments = []
    position = 0
    while True:
        found = _SEGMENT.match(text, position)
        if found is None:
            raise invalid(
                f'Invalid property path "{text}". Unquoted property names must match regex '
                f"({_SIMPLE}), and quoted property names must match regex ({_QUOTED})."
            )
        segment = found[1]
        segments.append(_ESCAPED.sub(r"\1", segment[1:-1]) if segment[0] == "`" else segment)
        position = found.end()
        if not found[2]:
            return tuple(segments)


def parse_writable(text: str) -> Path:
    """The segments of the path of a field that may be written.

    Raises:
        ServiceError: it is no field path, or a name in it is reserved (INVALID_ARGUMENT).
    """
    path = parse(text)
    for segment in path:
        check_name(segment)
    return path


def check_name(name: str) -> None:
    """See that a field may have this name.

    Raises:
        ServiceError: it is empty, too long or reserved (INVALID_ARGUMENT).
    """
    if not name:
        raise invalid("Document fields must not be empty.")
    if len(name.encode()) > limits.FIELD_NAME_BYTES:
        raise invalid(f"A property name is longer than {limits.FIELD_NAME_BYTES} bytes.")
    if _RESERVED.fullmatch(name):
        raise invalid(f'Property name "{name}" is reserved.')


def find(fields: Pb, path: Path) -> Pb | None:
    """The value at a path of a map of fields; None where there is none."""
    for segment in path[:-1]:
        # Asking a protobuf map for a key that it lacks would add it.
        if segment not in fields or not fields[segment].HasField("map_value"):
            return None
        fields = fields[segment].map_value.fields
    return fields.get(path[-1])


def put(fields: Pb, path: Path, value: Pb) -> None:
    """Set the value at a path, through maps that are made where they are missing."""
    for segment in path[:-1]:
        inner = fields[segment]
        if not inner.HasField("map_value"):
            inner.map_value.SetInParent()
        fields = inner.map_value.fields
    fields[path[-1]].CopyFrom(value)


def remove(fields: Pb, path: Path) -> None:
    """Remove the value at a path; harmless where there is none."""
    for segment in path[:-1]:
        if segment not in fields or not fields[segment].HasField("map_value"):
            return
        fields = fields[segment].map_value.fields
    if path[-1] in fields:
        del fields[path[-1]]


def disjoint(paths: list[Path]) -> bool:
    """Whether no path lies within another one of them."""
    known = set(paths)
    return not any(path[:end] in known for path in known for end in range(1, len(path)))
