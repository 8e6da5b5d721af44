"""What a bus takes, how it names what it has not taken, and how often it delivers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crosswind.errors import NotAccepted
from crosswind.limits import refusal
from crosswind.ports import Message

MAX_RECEIPTS: Final = 20
"""How often a message is received before it is a dead letter: four times the engine's attempts."""

_LISTED: Final = 5


def accepted(messages: Sequence[Message]) -> tuple[list[Message], NotAccepted | None]:
    """The messages that a bus takes, and the error that names those that no bus would."""
    taken: list[Message] = []
    refused: list[Message] = []
    reasons: list[str] = []
    for message in messages:
        reason = refusal(message)
        if reason is None:
            taken.append(message)
        else:
            refused.append(message)
            if len(reasons) < _LISTED:
                reasons.append(reason)
    if not refused:
        return taken, None
    if len(refused) > _LISTED:
        reasons.append(f"and {len(refused) - _LISTED} more")
    return taken, NotAccepted(refused, "; ".join(reasons))


def check_taken(
    messages: Sequence[Message],
    failed: Sequence[tuple[Message, str]],
    unfit: NotAccepted | None,
) -> None:
    """Say which of the messages that were published have not been taken, if there are any.

    Args:
        messages: all that were to be published.
        failed: those of them that the service has refused, and why; one that was refused in
            several places may stand there several times.
        unfit: the error of `accepted`.

    Raises:
        NotAccepted: names each of them once, in the order in which they were given.
    """
    if not failed and unfit is None:
        return
    reasons = list(dict.fromkeys(reason for _, reason in failed))
    if unfit is not None:
        reasons.insert(0, unfit.reason)
    if len(reasons) > _LISTED:
        reasons[_LISTED:] = [f"and {len(reasons) - _LISTED} more reasons"]
    lost = {id(message) for message, _ in failed}
    lost |= {id(message) for message in (unfit.messages if unfit else ())}
    raise NotAccepted([message for message in messages if id(message) in lost], "; ".join(reasons))
