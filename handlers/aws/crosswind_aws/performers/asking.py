"""Asking a service of AWS within a time, and saying what became of it.

A client is made with the first request and kept. The SDK itself repeats nothing: a request that
was throttled is repeated here, since nothing was done, and whoever changes something decides for
itself what a lost answer means.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from crosswind.actions import Pending
from crosswind_aws import clients
from crosswind_aws.performers.failures import (
    CallFailed,
    Meaning,
    Throttled,
    Unreachable,
    failed,
)

T = TypeVar("T")

PATIENCE: Final = 4
"""How often a throttled request is made."""

PAUSE: Final = 0.2
"""Mean seconds before a throttled request is made again; doubles each time."""

LEAST: Final = 0.5
"""Seconds without which no reading is begun."""

THROTTLED_FOR: Final = 10.0
"""Seconds after which an action that was throttled is tried again."""

_DIGEST: Final = 32


class Deadline:
    """Until when something must be answered.

    Args:
        seconds: from now on.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left; none or less when it has passed."""
        return self._end - time.monotonic()


class Service:
    """A service of AWS in one region, as performers ask it.

    Args:
        name: as the SDK names it.
        region: where it is; that of the environment unless given.
        endpoint: its URL, where the SDK cannot know it.
        quote: whether what it says in an error may be told on.
        meaning: what its errors mean, where the code alone does not tell.
        wait: seconds to wait for an answer.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        name: str,
        region: str | None = None,
        *,
        endpoint: str | None = None,
        quote: bool = True,
        meaning: Meaning | None = None,
        wait: float = clients.READ_CONTROL,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self.region = region
        self._endpoint = endpoint
        self._quote = quote
        self._meaning = meaning
        self._wait = wait
        self._longest = clients.CONNECT + wait
        self._sleep = sleep
        self._client: Any = None

    def __call__(self, operation: str, deadline: Deadline, **arguments: Any) -> Mapping[str, Any]:
        """Make a request, and make it again while it is throttled and there is time.

        It is begun only where it will be answered in time, however slowly: a change must not land
        when another may be at it already.

        Args:
            operation: the method of the SDK's client.

        Raises:
            CallFailed: it did not do what was asked.
        """
        return self._make(operation, deadline, self._longest, arguments)

    def read(self, operation: str, deadline: Deadline, **arguments: Any) -> Mapping[str, Any]:
        """Make a request that changes nothing: where its answer is lost, once more.

        Raises:
            CallFailed: it did not do what was asked.
        """
        try:
            return self._make(operation, deadline, LEAST, arguments)
        except Unreachable:
            if deadline.left < self._longest:
                raise
            return self._make(operation, deadline, LEAST, arguments)

    def _make(
        self, operation: str, deadline: Deadline, needed: float, arguments: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Make a request while there is so much time as it needs."""
        asked = f"{self.name} {operation}" + (f" in {self.region}" if self.region else "")
        for attempt in range(PATIENCE):
            if deadline.left < needed:
                raise Throttled(asked, "NoTimeLeft", "there is too little time for it now")
            try:
                answer: Mapping[str, Any] = getattr(self._made(), operation)(**arguments)
            except Exception as error:  # noqa: BLE001 - told apart there, what is not of AWS is raised
                found = self._told(asked, error)
            else:
                return answer
            pause = random.uniform(0, PAUSE * 2**attempt) * 2  # noqa: S311 - jitter, no secret
            patient = isinstance(found, Throttled) and attempt + 1 < PATIENCE
            if not patient or deadline.left < pause + needed:
                raise found
            self._sleep(pause)
        raise Throttled(asked, "Throttling")

    def _told(self, asked: str, error: Exception) -> CallFailed:
        """What an error means; what the SDK did not raise is raised as it is.

        It is raised without its cause, which holds the whole answer, and what was sent with it.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        if not isinstance(error, (BotoCoreError, ClientError)):
            raise error
        return failed(asked, error, quote=self._quote, meaning=self._meaning)

    def _made(self) -> Any:
        if self._client is None:
            self._client = clients.control(self.name, self.region, self._endpoint, self._wait)
        return self._client


class Services:
    """The services of one kind, by region; each is made when it is first asked.

    Args:
        name: as the SDK names them.
        how: see `Service`.
    """

    def __init__(self, name: str, **how: Any) -> None:
        self._name = name
        self._how = how
        self._by_region: dict[str, Service] = {}

    def __getitem__(self, region: str) -> Service:
        if region not in self._by_region:
            self._by_region[region] = Service(self._name, region, **self._how)
        return self._by_region[region]


def digest(key: str) -> str:
    """A key as it is left with a service, in 32 hex digits: short, and of letters that all take."""
    return hashlib.sha256(key.encode()).hexdigest()[:_DIGEST]


def patiently(act: Callable[[], T]) -> T | Pending:
    """Do something; throttled, it is no failure but is tried again later."""
    try:
        return act()
    except Throttled as throttled:
        return Pending(THROTTLED_FOR, str(throttled))


def region_of(arn: str) -> str:
    """The region that an ARN names."""
    return arn.split(":")[3]


def never(kind: str, who: object) -> TypeError:
    """What a performer answers to what it does not do."""
    return TypeError(f"{type(who).__name__} does not do {kind}")
