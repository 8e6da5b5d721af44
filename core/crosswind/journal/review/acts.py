"""What was done: actions in their own words, with their answers; and questions to people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError
from pydantic_core import to_json

from crosswind.journal.rendering import brief
from crosswind.journal.review.facts import Asked, Done
from crosswind.journal.review.wording import short
from crosswind.operations.notification import Notify
from crosswind.records.joins import Answered
from crosswind.records.record import Entry, Record

if TYPE_CHECKING:
    from crosswind.app import App

_DONE: Final = ("accepted", "applied", "marked", "released")
"""How performers say that they have done it, or have not."""


def done(record: Record, entry: Entry, about: str, app: App) -> Done:
    """One action.

    Args:
        about: the workload that its event is about, where the action names none.
        app: whose kinds of action put themselves into words.
    """
    return Done(
        chain=record.chain,
        at=entry.at,
        took=entry.took,
        kind=kind_of(entry),
        words=short(_words(record, entry, app)),
        workload=workload_of(entry, about),
        mode=entry.mode or "",
        times=entry.asked,
        covered=entry.mode == "propose" and entry.approval is None and entry.done,
        simulated=entry.simulated,
        refused=entry.refused is not None or _declined(entry),
        result=short(_result(entry)),
    )


def asked(
    record: Record, entry: Entry, about: str, free: float, answers: Mapping[str, Answered]
) -> Asked:
    """The question to a person on which an action depended.

    Args:
        free: when the run had nothing else to do any more, seconds since the epoch.
        answers: by the approval's id.
    """
    approval = entry.approval or {}
    answer = answers.get(str(approval.get("id")))
    at = entry.at
    if answer is not None and answer.at < entry.at:
        # Granted, and then decided anew on later evidence: the entry was written anew as well.
        at = min(free, answer.at)
    return Asked(
        chain=record.chain,
        action=kind_of(entry),
        workload=workload_of(entry, about),
        why=str(approval.get("why", "")),
        at=at,
        answered=None if answer is None else answer.at,
        outcome="waiting" if answer is None else answer.outcome,
        by="" if answer is None else answer.by or "",
        reason="" if answer is None else answer.reason,
    )


def kind_of(entry: Entry) -> str:
    """The kind of an action."""
    return entry.kind.partition(":")[2]


def workload_of(entry: Entry, about: str) -> str:
    """The workload that an action concerns."""
    args = entry.args if isinstance(entry.args, Mapping) else {}
    return str(args.get("workload") or about or "")


def _words(record: Record, entry: Entry, app: App) -> str:
    """An action in its own words, where the app knows its kind; the reasons stand elsewhere."""
    kind, args = kind_of(entry), entry.args
    if kind == Notify.kind and isinstance(args, Mapping):
        return str(args.get("title", ""))
    handler = app.handler(record.handler)
    model = next((one for one in handler.acts if one.kind == kind), None) if handler else None
    if model is not None:
        try:
            return model.model_validate_json(to_json(args)).summary().partition(" because ")[0]
        except ValidationError:
            pass  # it was recorded by another version; its arguments say it as well
    return brief(args) if isinstance(args, Mapping) else kind


def _declined(entry: Entry) -> bool:
    """Whether a performer answered that it has not done it."""
    result = entry.result if isinstance(entry.result, Mapping) else {}
    return any(result.get(word) is False for word in _DONE)


def _result(entry: Entry) -> str:
    if entry.refused is not None:
        by, why = entry.refused.get("by"), entry.refused.get("reason")
        return f"{entry.refused['outcome']}{f' by {by}' if by else ''}{f': {why}' if why else ''}"
    if not entry.done:
        return entry.pending or "no result"
    result: Any = entry.result
    if not isinstance(result, Mapping):
        return brief(result)
    reason = f": {result['reason']}" if result.get("reason") else ""
    if "requested" in result and "granted" in result:
        ready = f", {result['ready']} ready" if "ready" in result else ""
        return f"{result['granted']} granted of {result['requested']} requested{ready}{reason}"
    if _declined(entry):
        return f"not done{reason}"
    if set(result) >= {"incident", "new"}:
        return "new" if result["new"] else "open already"
    if set(result) == {"was_open"}:
        return "resolved" if result["was_open"] else "was not open"
    for word in _DONE:
        if result.get(word):
            return f"{word}, epoch {result['epoch']}" if "epoch" in result else word
    return brief(result, 160)
