"""Asks AWS: only what `rights` lists, in pages, bounded in count and time, and patiently.

A throttled request is made again by the SDK, with its standard pauses. Whatever is answered instead
of what was asked is one `NotRead`, which says what it means and which right is missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final

from botocore import xform_name
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

from crosswind.adopting.driver import AdoptError
from crosswind.adopting.found import Unread
from crosswind_aws.adopt.rights import RIGHTS
from crosswind_aws.faults import LOST, THROTTLED, code_of

MOST: Final = 5_000
"""Things of one kind in one region that are read; a fleet holds fewer workloads."""

POOL: Final = 8
"""Parts that are read at a time."""

_LONGEST: Final = 300
_CONNECT: Final = 3.0
_READ: Final = 15.0
_ATTEMPTS: Final = 6

_DENIED: Final = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "UnauthorizedOperation",
    "NotAuthorized",
}
_STRANGERS: Final = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_BUSY: Final = THROTTLED | {"RequestLimitExceeded", "ServiceUnavailable", "SlowDown", "Throttling"}


class NotRead(AdoptError):
    """Something that was asked was not answered.

    Args:
        why: for people.
        needs: the right that is missing, if that is why.
        code: what AWS calls it.
    """

    def __init__(self, why: str, needs: str = "", code: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.needs = needs
        self.code = code


class Asker:
    """Asks one account.

    Args:
        session: of botocore; one of the environment unless given.
        within: seconds after which no more is asked.
        client: makes a client of a service in a region; the session unless given.
    """

    def __init__(
        self,
        session: Any = None,
        within: float = 300.0,
        client: Callable[[str, str | None], Any] | None = None,
    ) -> None:
        if session is None:
            from botocore.session import get_session

            session = get_session()
        self.session = session
        self._until = time.monotonic() + within
        self._make = client or self._made
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._lock = Lock()

    @property
    def region(self) -> str | None:
        """The region of the profile or environment.

        Raises:
            NotRead: there is no such profile.
        """
        with answered(""):
            found = self.session.get_config_variable("region")
        return str(found) if found else None

    def stop(self) -> None:
        """Ask nothing more."""
        self._until = float("-inf")

    def ask(self, service: str, operation: str, region: str | None = None, **given: Any) -> Any:
        """Ask once.

        Raises:
            NotRead: it was not answered.
        """
        needs = RIGHTS[service, operation]
        self._in_time()
        with answered(needs):
            return getattr(self._client(service, region), xform_name(operation))(**given)

    def pages(
        self,
        service: str,
        operation: str,
        members: str,
        region: str | None = None,
        most: int = MOST,
        **given: Any,
    ) -> Iterator[Any]:
        """Ask for all of a list, page by page.

        Args:
            members: where each page has its part of the list.
            most: members that are read.

        Raises:
            NotRead: a page was not answered, or there are more; what came before was yielded.
        """
        needs = RIGHTS[service, operation]
        self._in_time()
        with answered(needs):
            paginator = self._client(service, region).get_paginator(xform_name(operation))
            found = iter(paginator.paginate(**given))
        count = 0
        while True:
            self._in_time()
            with answered(needs):
                page = next(found, None)
            if page is None:
                return
            for one in page.get(members) or ():
                if count == most:
                    raise NotRead(f"there are more than {most:,}; the others were left out")
                count += 1
                yield one

    def _in_time(self) -> None:
        if time.monotonic() > self._until:
            raise NotRead("the time was over; name fewer regions with --region")

    def _client(self, service: str, region: str | None) -> Any:
        # The SDK's sessions are not made for several threads; its clients are.
        with self._lock:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._make(service, region)
            return self._clients[service, region]

    def _made(self, service: str, region: str | None) -> Any:
        from botocore.config import Config

        config = Config(
            connect_timeout=_CONNECT,
            read_timeout=_READ,
            retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
            max_pool_connections=POOL,
            user_agent_extra="crosswind",
        )
        return self.session.create_client(service, region_name=region, config=config)


@contextmanager
def answered(needs: str) -> Iterator[None]:
    """Say what it means that something was not answered.

    Args:
        needs: the right that it takes.

    Raises:
        NotRead: whatever the SDK raised.
    """
    try:
        yield
    except ClientError as error:
        raise _meant(error, needs) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise NotRead(f"{error}; sign in, or name a profile with AWS_PROFILE") from error
    except LOST as error:
        raise NotRead(f"no answer that can be read: {error}"[:_LONGEST]) from error
    except BotoCoreError as error:
        raise NotRead(f"AWS cannot be asked: {error}"[:_LONGEST]) from error


def _meant(error: ClientError, needs: str) -> NotRead:
    code = code_of(error)
    said = str(error.response.get("Error", {}).get("Message", "")) or code
    if code in _DENIED:
        return NotRead("these credentials may not", needs, code)
    if code in _STRANGERS:
        return NotRead(f"AWS does not know these credentials there ({code})", "", code)
    if code == "SubscriptionRequiredException":
        return NotRead("the account's support plan does not include it", "", code)
    if code in _BUSY:
        return NotRead("AWS asked for patience too often; try again", "", code)
    answer = code if said == code else f"{code}: {said}"
    return NotRead(f"AWS answered {answer}"[:_LONGEST], "", code)


def unread(part: str, region: str, error: NotRead) -> Unread:
    """What a person is told of a part that was not read."""
    return Unread(part, f"aws/{region}" if region else "", error.why, error.needs)
