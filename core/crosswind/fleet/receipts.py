"""Actions with a receipt: one atomic write that takes effect once, however often it is asked for.

    read the receipt ──there──> its result
         │ absent
    read, decide
         │
    write (puts, checks of all that was read, receipt if absent)
         ├── taken ────────────> the result
         ├── conflict ─────────> the result of the receipt if it is there, else decide again
         ├── throttled ────────> the same write after a pause
         └── answer lost ──────> the same write after a pause; if it has landed it conflicts with
                                 its own receipt

A write that lands late finds versions that never recur, or its own receipt, and changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar, cast

from pydantic import BaseModel

from crosswind.errors import Conflict, Diverged, StoreError, Throttled, Unreachable
from crosswind.fleet import keys
from crosswind.ports import Put

if TYPE_CHECKING:
    from crosswind.actions import Action, Call
    from crosswind.ports import Change, Store

R = TypeVar("R", bound=BaseModel)

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0


class Outcome(NamedTuple, Generic[R]):
    """A result, and the changes without which it does not hold."""

    result: R
    changes: Sequence[Change]


class Receipts:
    """Carries out actions on one partition of a store, each with a receipt.

    Args:
        store: where.
        partition: of the store.
        keep: seconds for which a receipt is kept; longer than an action can be asked for again.
        clock: seconds since the epoch.
        pause: waits so many seconds.
        draw: draws the jitter of a wait between two numbers.
    """

    def __init__(
        self,
        store: Store,
        partition: str,
        *,
        keep: float,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.store = store
        self.partition = partition
        self.keep = keep
        self.clock = clock
        self.pause = pause
        self.draw = draw

    def settle(self, action: Action[R], call: Call, decide: Callable[[], Outcome[R]]) -> R:
        """The result of an action: that of its receipt, or of a decision written now.

        Args:
            decide: reads and decides; called again when what it read has changed.

        Raises:
            Diverged: the key was used for another action or other arguments.
            Conflict, Throttled, Unreachable: the store could not be worked with in the time that
                the call may take; the action may have taken effect, and asking again will tell.
        """
        deadline = self.clock() + call.timeout
        key, digest = keys.receipt(call.key), _digest(action)
        outcome: Outcome[R] | None = None
        error: StoreError
        attempt = 0
        while True:
            try:
                receipt = self.store.read(self.partition, key)
                if receipt is not None:
                    return _result(action, digest, receipt.value)
                if outcome is None:
                    outcome = decide()
                put = self._receipt(key, digest, action, outcome.result)
                self.store.write(self.partition, [*outcome.changes, put], key)
                return outcome.result
            except Conflict as conflict:
                standing = conflict.found.get(key)
                if standing is not None:
                    return _result(action, digest, standing.value)
                outcome, error = None, conflict
            except (Throttled, Unreachable) as unanswered:
                error = unanswered
            attempt += 1
            longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**attempt)
            wait = self.draw(0.0, longest)
            if self.clock() + wait > deadline:
                raise error
            self.pause(wait)

    def _receipt(self, key: str, digest: str, action: Action[R], result: R) -> Put:
        receipt = {
            "action": action.kind,
            "arguments": digest,
            "result": result.model_dump(mode="json"),
        }
        return Put(key, json.dumps(receipt).encode(), expires=self.clock() + self.keep)


def _digest(action: Action[R]) -> str:
    arguments = json.dumps(action.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(arguments.encode()).hexdigest()


def _result(action: Action[R], digest: str, receipt: bytes) -> R:
    found = json.loads(receipt)
    if (found["action"], found["arguments"]) != (action.kind, digest):
        raise Diverged(
            f"the key of this {action.kind} has the receipt of a {found['action']} "
            "with other arguments; a key stands for one action"
        )
    return cast(R, action.returns.model_validate(found["result"]))
