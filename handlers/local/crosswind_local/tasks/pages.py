"""Lists, page by page: `page_size`, `page_token` and `next_page_token` of the list methods.

A token names the last item of the page before, so that a list goes on where it stopped although
items come and go meanwhile. As ListQueues says,
https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2, it is good for two hours,
and only for the same list and filter.
"""

import base64
import binascii
import json
from bisect import bisect_right
from collections.abc import Iterable

from crosswind_local.errors import ServiceError
from crosswind_local.tasks import limits


def page(
    names: Iterable[str], *, size: int, token: str, most: int, of: str, now: float
) -> tuple[list[str], str]:
    """The names of one page in their order, and the token of the next page or "".

    Args:
        names: all there are.
        size: how many are asked for; 0, or too many, for the most there may be.
        token: that of the page before, or "".
        most: how many a page may have.
        of: what is listed, with its filter; a token is good for the same only.
        now: seconds since 1970.

    Raises:
        ServiceError: the size is negative, or the token is not one of ours, of another list,
            or too old (INVALID_ARGUMENT).
    """
    if size < 0:
        raise ServiceError("INVALID_ARGUMENT", f"page_size is negative: {size}.")
    ordered = sorted(names)
    start = bisect_right(ordered, _read(token, of, now)) if token else 0
    end = start + min(size or most, most)
    shown = ordered[start:end]
    more = end < len(ordered)
    return shown, _write(shown[-1], of, now) if more else ""


def _write(name: str, of: str, now: float) -> str:
    return base64.urlsafe_b64encode(json.dumps([name, of, now]).encode()).decode()


def _read(token: str, of: str, now: float) -> str:
    invalid = ServiceError("INVALID_ARGUMENT", "Invalid page_token.")
    try:
        written = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise invalid from error
    match written:
        case [str(name), str(listed), float(when)] if listed == of:
            if now > when + limits.PAGE_TOKEN_SECONDS:
                raise ServiceError("INVALID_ARGUMENT", "The page_token has expired.")
            return name
    raise invalid
