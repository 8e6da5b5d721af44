"""Lists of documents, page by page: `ListDocuments`, told as a query.

A token is the cursor after the last document of the page before, so that a list goes on where it
stopped although documents come and go meanwhile.
"""

import base64
import binascii
import re
from collections.abc import Sequence

from google.protobuf.message import DecodeError

from crosswind_local.firestore import limits, names, paths
from crosswind_local.firestore.protocol import Pb, StructuredQuery, Value
from crosswind_local.firestore.queries import Query
from crosswind_local.firestore.refusals import invalid

_ORDER = re.compile(
    r"\s*((?:[^`,\s]|`(?:[^`\\]|\\.)*`)+)(?:\s+(asc|desc))?\s*(,|$)", re.IGNORECASE | re.DOTALL
)


def as_query(request: Pb) -> Pb:
    """The StructuredQuery that finds one page and one document more.

    Raises:
        ServiceError: the order, the size or the token is invalid (INVALID_ARGUMENT).
    """
    structured = StructuredQuery()
    structured.from_.add(collection_id=request.collection_id)
    for field, descending in _orders(request.order_by):
        order = structured.order_by.add(direction=2 if descending else 1)
        order.field.field_path = field
    if request.page_token:
        try:
            structured.start_at.ParseFromString(_decoded(request.page_token))
        except DecodeError as error:
            raise invalid("Invalid page_token.") from error
    structured.limit.value = size_of_page(request.page_size) + 1
    return structured


def size_of_page(asked: int) -> int:
    """How many a page holds.

    Raises:
        ServiceError: a negative number is asked for (INVALID_ARGUMENT).
    """
    if asked < 0:
        raise invalid(f"Invalid page_size: {asked} is negative.")
    return min(asked or limits.PAGE_SIZE, limits.PAGE_SIZE)


def token_after(document: Pb, query: Query) -> str:
    """The token of the page after a document."""
    cursor = StructuredQuery().start_at
    for order in query.orders:
        if order.path == (paths.NAME,):
            cursor.values.append(Value(reference_value=document.name))
        else:
            value = paths.find(document.fields, order.path)
            assert value is not None  # or the query would not have found it
            cursor.values.append(value)
    return base64.urlsafe_b64encode(cursor.SerializeToString()).decode()


def named_page(found: Sequence[str], size: int, token: str) -> tuple[Sequence[str], str]:
    """One page of names in their order, and the token of the next page or "".

    Raises:
        ServiceError: the size is negative or the token is not one of ours (INVALID_ARGUMENT).
    """
    ordered = sorted(found, key=names.sort_key)
    if token:
        after = names.sort_key(_decoded(token).decode("utf-8", "replace"))
        ordered = [name for name in ordered if names.sort_key(name) > after]
    shown = ordered[: size_of_page(size)]
    if len(shown) == len(ordered):
        return shown, ""
    return shown, base64.urlsafe_b64encode(shown[-1].encode()).decode()


def _orders(text: str) -> list[tuple[str, bool]]:
    """The field paths of "a desc, b", and whether each descends."""
    orders = []
    position = 0
    while position < len(text):
        found = _ORDER.match(text, position)
        if found is None or (found[3] and found.end() == len(text)):
            raise invalid(f'Invalid order_by "{text}": expected "field [asc|desc], ...".')
        orders.append((found[1], (found[2] or "").lower() == "desc"))
        position = found.end()
    return orders


def _decoded(token: str) -> bytes:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("Invalid page_token.") from error
