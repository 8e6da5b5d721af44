"""The record of calls, filled as they are carried out."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crosswind_local.calls import Call
from crosswind_local.servicebus.conditions import Refused

if TYPE_CHECKING:
    from crosswind_local.servicebus.wire.connection import Service

LOG = logging.getLogger(__name__)


class Outcome:
    """What came of a call."""

    __slots__ = ("refused",)

    def __init__(self) -> None:
        self.refused: Refused | None = None


class Record:
    """Notes the calls to one resource."""

    def __init__(self, service: "Service", resource: str) -> None:
        self._service = service
        self._resource = resource

    def now(self) -> float:
        """The time of the service, in seconds since 1970."""
        return self._service.namespace.now()

    @contextmanager
    def call(self, method: str) -> Iterator[Outcome]:
        """Carry out a call; a refusal ends up in what this yields, as does a fault of ours."""
        outcome = Outcome()
        began = time.perf_counter()
        try:
            yield outcome
        except Refused as refused:
            # Without its traceback, which would hold the caller's frame, and that this outcome.
            outcome.refused = refused.with_traceback(None)
        except Exception:
            # A fault of the emulator: told as the service would, and logged whole.
            LOG.exception("%s failed", method)
            outcome.refused = Refused("amqp:internal-error", f"{method} failed; see the log.")
        spent = (time.perf_counter() - began) * 1000
        told = "OK" if outcome.refused is None else outcome.refused.condition
        self._service.calls.add(Call(self.now(), method, self._resource, told, round(spent, 3)))
