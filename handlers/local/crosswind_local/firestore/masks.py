"""Field masks: which fields of a document are returned, or written.

`DocumentMask` of the v1 API. A mask that is not set means all fields; one that is set and empty
means none.
"""

from collections.abc import Iterable, Sequence

from crosswind_local.firestore import paths
from crosswind_local.firestore.paths import Path
from crosswind_local.firestore.protocol import Document, Pb
from crosswind_local.firestore.refusals import invalid


def read(request: Pb, name: str = "mask") -> list[Path] | None:
    """The paths that a request wants to see; None where it has no mask.

    Raises:
        ServiceError: a path is none (INVALID_ARGUMENT).
    """
    if not request.HasField(name):
        return None
    return [paths.parse(text) for text in getattr(request, name).field_paths]


def written(write: Pb) -> list[Path]:
    """The paths that a write's mask names.

    Raises:
        ServiceError: a path is none, is reserved, or lies within another (INVALID_ARGUMENT).
    """
    found = [paths.parse_writable(text) for text in write.update_mask.field_paths]
    if not paths.disjoint(found):
        raise invalid("The update_mask names a property and another one within it.")
    return found


def shown(document: Pb, wanted: Sequence[Path] | None) -> Pb:
    """A document with only the wanted fields; the very same where all are wanted."""
    if wanted is None:
        return document
    seen = Document(
        name=document.name,
        create_time=document.create_time,
        update_time=document.update_time,
    )
    copy(document.fields, seen.fields, (path for path in wanted if path != (paths.NAME,)))
    return seen


def copy(source: Pb, target: Pb, chosen: Iterable[Path]) -> None:
    """Make `target` like `source` at the chosen paths; what `source` lacks there is removed."""
    for path in chosen:
        value = paths.find(source, path)
        if value is not None:
            paths.put(target, path, value)
        else:
            paths.remove(target, path)
