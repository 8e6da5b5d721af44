"""The names of databases, collections and documents.

    projects/{project}/databases/{database}
    projects/{project}/databases/{database}/documents/{collection}/{document}/...

"Quotas and limits", https://cloud.google.com/firestore/quotas, has the constraints on ids.
"""

import re
from functools import lru_cache

from crosswind_local.firestore import limits
from crosswind_local.firestore.refusals import invalid

NameKey = tuple[tuple[int, int, bytes], ...]
"""What documents are ordered by, where they are ordered by name."""

_DATABASE = re.compile(r"projects/[^/]+/databases/[^/]+")
_ROOT = re.compile(r"(projects/[^/]+/databases/[^/]+)/documents(?:/(.*))?", re.DOTALL)
_RESERVED = re.compile(r"__.*__", re.DOTALL)
_NUMERIC = re.compile(r"__id(-?[0-9]{1,19})__")


def check_database(name: str) -> None:
    """See that `name` is that of a database.

    Raises:
        ServiceError: it is not (INVALID_ARGUMENT).
    """
    if not _DATABASE.fullmatch(name):
        raise invalid(
            f'Invalid database name "{name}". Expected projects/PROJECT/databases/DATABASE.'
        )


def check_document(name: str, database: str | None = None) -> str:
    """See that `name` is that of a document, in `database` if given; returns its database.

    Raises:
        ServiceError: it is not (INVALID_ARGUMENT).
    """
    found = _ROOT.fullmatch(name)
    segments = (found[2] or "").split("/") if found is not None else []
    if found is None or len(segments) % 2:
        raise invalid(f'Document name "{name}" lacks a collection or a document id.')
    if database is not None and found[1] != database:
        raise invalid(f'Document name "{name}" is not in the database "{database}" of the request.')
    if len(name.encode()) > limits.NAME_BYTES:
        raise invalid(f"A document name is longer than {limits.NAME_BYTES} bytes.")
    if len(segments) // 2 > limits.COLLECTION_DEPTH:
        raise invalid(f"A document lies deeper than {limits.COLLECTION_DEPTH} collections.")
    for number, segment in enumerate(segments):
        check_id("Document" if number % 2 else "Collection", segment)
    return found[1]


def check_parent(name: str) -> str:
    """See that `name` is a database's root or a document; returns its database.

    Raises:
        ServiceError: it is neither (INVALID_ARGUMENT).
    """
    found = _ROOT.fullmatch(name)
    if found is not None and found[2] is None:
        return found[1]
    return check_document(name)


def check_id(kind: str, segment: str) -> None:
    """See that an id is one; `kind` is Collection or Document.

    Raises:
        ServiceError: it is empty, too long or reserved (INVALID_ARGUMENT).
    """
    if not segment or "/" in segment or segment in {".", ".."}:
        raise invalid(f'{kind} id "{segment}" is invalid: it is empty, ".", ".." or has a "/".')
    if len(segment.encode()) > limits.ID_BYTES:
        raise invalid(f"{kind} id is invalid: it is longer than {limits.ID_BYTES} bytes.")
    if _RESERVED.fullmatch(segment) and (kind == "Collection" or not _NUMERIC.fullmatch(segment)):
        raise invalid(f'{kind} id "{segment}" is invalid because it is reserved.')


def database_of(name: str) -> str:
    """The database of a document or a root."""
    return "/".join(name.split("/", 4)[:4])


def collection_of(document: str) -> str:
    """The collection, by its full path, that a document lies in."""
    return document.rsplit("/", 1)[0]


def group_of(collection: str) -> str:
    """The id of a collection, which is also that of its collection group."""
    return collection.rsplit("/", 1)[1]


def relative(name: str) -> list[str]:
    """The segments of a document's path within its database."""
    return name.split("/")[5:]


def sort_key(name: str) -> NameKey:
    """What orders documents: each part of the path, numeric ids first."""
    return tuple(map(_segment_key, name.split("/")))


@lru_cache(maxsize=10_000)  # most parts of most names are the same, and so need memory only once
def _segment_key(segment: str) -> tuple[int, int, bytes]:
    found = _NUMERIC.fullmatch(segment) if segment.startswith("__id") else None
    return (0, int(found[1]), b"") if found else (1, 0, segment.encode())
