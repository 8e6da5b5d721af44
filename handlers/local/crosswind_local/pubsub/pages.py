"""Lists, page by page: `page_size`, `page_token` and `next_page_token` of the list methods.

A token names the last item of the page before, so that a list goes on where it stopped although
items come and go meanwhile.
"""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Iterable

from crosswind_local.errors import ServiceError
from crosswind_local.pubsub.limits import PAGE_SIZE


def page(names: Iterable[str], size: int, token: str) -> tuple[list[str], str]:
    """The names of one page in their order, and the token of the next page or "".

    Raises:
        ServiceError: the size is negative or the token is not one of ours (INVALID_ARGUMENT).
    """
    if size < 0:
        raise ServiceError("INVALID_ARGUMENT", f"Invalid page_size: {size} is negative.")
    ordered = sorted(names)
    start = bisect_right(ordered, _read(token)) if token else 0
    end = start + min(size or PAGE_SIZE, PAGE_SIZE)
    shown = ordered[start:end]
    return shown, _write(shown[-1]) if end < len(ordered) else ""


def _write(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _read(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise ServiceError("INVALID_ARGUMENT", "Invalid page_token.") from error
