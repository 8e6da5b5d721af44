"""Where tests against AWS run: on an emulator of ours, on another one, or on a real account.

By default ministack is started. The variable `CROSSWIND_TEST_AWS` points the same tests elsewhere,
and is needed for that: a stray `AWS_ENDPOINT_URL` or a developer's own credentials alone never are.

    CROSSWIND_TEST_AWS=endpoint AWS_ENDPOINT_URL=http://127.0.0.1:4566 pytest ...
    CROSSWIND_TEST_AWS=account  AWS_PROFILE=sandbox pytest ...
"""

import os
import time
from collections.abc import Mapping
from typing import Protocol

from crosswind_local.accounts import REGION, sdk_env
from crosswind_local.errors import LocalCloudError

MARKER = "CROSSWIND_TEST_AWS"
"""Environment variable: `ministack` (also when unset), `endpoint` or `account`."""


class Clocked(Protocol):
    """An emulator of ours, whose clock can be moved."""

    @property
    def url(self) -> str:
        """Where it listens."""
        ...

    @property
    def skipped(self) -> float:
        """Seconds by which its clock is ahead."""
        ...

    def advance(self, seconds: float) -> None:
        """Move its clock on."""
        ...


class AwsSite:
    """A place where tests find AWS.

    Args:
        emulator: one of ours; without one, time passes by itself.
        url: another emulator; without either, it is a real account.
    """

    def __init__(self, emulator: Clocked | None = None, url: str | None = None) -> None:
        self.emulator = emulator
        self.url = emulator.url if emulator is not None else url

    @property
    def is_real(self) -> bool:
        """Whether it costs money."""
        return self.url is None

    def env(self, account: str, region: str = REGION) -> dict[str, str]:
        """What points an SDK there; an account of 12 digits is told apart by emulators alone."""
        return {} if self.url is None else sdk_env(self.url, account, region)

    def now(self) -> float:
        """Seconds since 1970 by the clock there."""
        return time.time() + (0.0 if self.emulator is None else self.emulator.skipped)

    def let_pass(self, seconds: float) -> None:
        """Let time pass there: at once where the clock can be moved, else by waiting."""
        if self.emulator is not None:
            self.emulator.advance(seconds)
        else:
            time.sleep(seconds)


def elsewhere(environ: Mapping[str, str] = os.environ) -> AwsSite | None:
    """The site that the environment names; None where ministack is to be started.

    Raises:
        LocalCloudError: the variables contradict each other; says what to set.
    """
    named = environ.get(MARKER, "ministack")
    if named == "ministack":
        return None
    if named == "account":
        if environ.get("AWS_ENDPOINT_URL"):
            raise LocalCloudError(
                f"{MARKER}=account names a real account, and AWS_ENDPOINT_URL an emulator; unset it"
            )
        return AwsSite()
    if named == "endpoint":
        url = environ.get("AWS_ENDPOINT_URL")
        if not url:
            raise LocalCloudError(f"{MARKER}=endpoint needs AWS_ENDPOINT_URL=http://HOST:PORT")
        return AwsSite(url=url)
    raise LocalCloudError(f"{MARKER}={named!r} is unknown; use ministack, endpoint or account")
