"""The control plane's rules, apart from HTTP: keys, epochs, and a log of every call.

An order is carried out once per key and never with an epoch below the one in force. The log is
written before an order takes effect, and it is the memory too: a process that is started again
reads it and knows its keys, epochs and settings as before.
"""

from __future__ import annotations

import json
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

MAX_KEYS: Final = 10_000
"""Keys remembered; the oldest are forgotten first."""


class Effect(StrEnum):
    """What became of a control call."""

    APPLIED = "applied"
    REPEATED = "repeated"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Order:
    """One change asked of a control plane.

    Attributes:
        call: what is asked, such as `scale`.
        subject: what it is asked of; epochs are counted for each (call, subject).
        key: names this order however often it is sent.
        epoch: a lower one than the last applied is refused.
        arguments: everything else, as JSON values.
    """

    call: str
    subject: str
    key: str
    epoch: int
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order.

    Attributes:
        answer: the first answer to this key; None where refused.
        epoch: the epoch in force after the call.
        stale: refused because a higher epoch is in force (otherwise: the key names another order).
        reason: why it was refused.
    """

    effect: Effect
    answer: Mapping[str, Any] | None
    epoch: int
    stale: bool = False
    reason: str = ""


class ControlLog:
    """JSON lines, one for each control call: at, call, key, epoch, effect, detail.

    `at` is in seconds since the epoch. A line torn by a kill was never answered and is cut off.

    Raises:
        OSError: the file cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("a+b", buffering=0)
        _cut_torn_line(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def record(
        self,
        call: str,
        effect: Effect,
        detail: Mapping[str, Any],
        *,
        key: str | None = None,
        epoch: int | None = None,
    ) -> None:
        """Append one line; it is in the file when this returns."""
        line = {
            "at": round(time.time(), 6),
            "call": call,
            "key": key,
            "epoch": epoch,
            "effect": effect,
            "detail": detail,
        }
        self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")

    def lines(self) -> Iterator[dict[str, Any]]:
        """Every line recorded so far, oldest first."""
        return read_control_log(self._path)


def read_control_log(path: Path) -> Iterator[dict[str, Any]]:
    """Lines of a control log, oldest first; a last line still being written is left out.

    Raises:
        ValueError: a complete line is not JSON.
    """
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield json.loads(line)


def _cut_torn_line(descriptor: int) -> None:
    """Shorten the file to the end of its last complete line."""
    end = os.fstat(descriptor).st_size
    keep = end
    while keep > 0:
        block = max(0, keep - 4096)
        newline = os.pread(descriptor, keep - block, block).rfind(b"\n")
        if newline >= 0:
            keep = block + newline + 1
            break
        keep = block
    if keep < end:
        os.ftruncate(descriptor, keep)


class Control:
    """Carries out orders under the rules of key and epoch.

    Args:
        log: where every call is recorded.
        keys: how many keys are remembered.
    """

    def __init__(self, log: ControlLog, keys: int = MAX_KEYS) -> None:
        self._log = log
        self._max_keys = keys
        self._done: OrderedDict[str, tuple[Order, Mapping[str, Any]]] = OrderedDict()
        self._epochs: dict[tuple[str, str], int] = {}

    def epoch(self, call: str, subject: str) -> int:
        """The epoch in force; 0 where nothing was ordered yet."""
        return self._epochs.get((call, subject), 0)

    def carry_out(
        self,
        order: Order,
        decide: Callable[[], Mapping[str, Any]],
        apply: Callable[[Mapping[str, Any]], None],
    ) -> Outcome:
        """Carry out an order, or say why not.

        Args:
            decide: works out the answer and changes nothing.
            apply: makes the answer true; called after it was recorded.
        """
        current = self.epoch(order.call, order.subject)
        if order.key in self._done:
            first, answer = self._done[order.key]
            if first != order:
                outcome = Outcome(
                    Effect.REFUSED,
                    None,
                    current,
                    reason=f"key {order.key!r} was used before for another order",
                )
            else:
                outcome = Outcome(Effect.REPEATED, answer, current)
        elif order.epoch < current:
            outcome = Outcome(
                Effect.REFUSED,
                None,
                current,
                stale=True,
                reason=f"epoch {current} is in force, {order.epoch} is older",
            )
        else:
            outcome = Outcome(Effect.APPLIED, decide(), order.epoch)
        self._record(order, outcome)
        if outcome.effect is Effect.APPLIED and outcome.answer is not None:
            apply(outcome.answer)
            self._remember(order, outcome.answer)
        return outcome

    def refuse(self, order: Order, reason: str) -> None:
        """Record an order that cannot be carried out, whatever its key and epoch."""
        current = self.epoch(order.call, order.subject)
        self._record(order, Outcome(Effect.REFUSED, None, current, reason=reason))

    def restore(self) -> Iterator[tuple[Order, Mapping[str, Any]]]:
        """Take keys and epochs from the log; yields what was applied, oldest first."""
        for line in self._log.lines():
            if line["effect"] != Effect.APPLIED or line["key"] is None:
                continue
            detail = line["detail"]
            order = Order(
                call=line["call"],
                subject=detail["subject"],
                key=line["key"],
                epoch=line["epoch"],
                arguments=detail["arguments"],
            )
            self._remember(order, detail["answer"])
            yield order, detail["answer"]

    def _record(self, order: Order, outcome: Outcome) -> None:
        detail: dict[str, Any] = {"subject": order.subject, "arguments": order.arguments}
        if outcome.answer is not None:
            detail["answer"] = outcome.answer
        if outcome.reason:
            detail["reason"] = outcome.reason
        self._log.record(order.call, outcome.effect, detail, key=order.key, epoch=order.epoch)

    def _remember(self, order: Order, answer: Mapping[str, Any]) -> None:
        self._epochs[order.call, order.subject] = order.epoch
        self._done[order.key] = (order, answer)
        while len(self._done) > self._max_keys:
            self._done.popitem(last=False)
