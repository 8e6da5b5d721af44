"""What applying would do, what it waits for, and why it must not be done as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from crosswind.stacks.difference import ABSENT, Difference

Action = Literal["add", "change", "replace", "remove"]

Sure = Literal["yes", "no", "perhaps"]

SIGNS: Final[Mapping[Action, str]] = {"add": "+", "change": "~", "replace": "!", "remove": "-"}
"""By which a list of changes shows them."""

Means = Literal["change set", "comparison"]
"""How a plan was made: by the platform's own engine, or by comparing two templates here."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one resource.

    Attributes:
        action: what is done.
        resource: its name in the template.
        type: as the platform names it.
        group: whose it is; "" for what all share.
        id: its name on the platform, where it has one.
        differences: what of it differs.
        replaced: whether it is made anew, so that what it holds is lost.
        indirect: whether nothing of it is changed itself: only its tags, or what it refers to.
    """

    action: Action
    resource: str
    type: str
    group: str = ""
    id: str = ""
    differences: tuple[Difference, ...] = ()
    replaced: Sure = "no"
    indirect: bool = False

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "action": self.action,
            "resource": self.resource,
            "type": self.type,
            "group": self.group or None,
            "id": self.id or None,
            "replaced": self.replaced,
            "indirect": self.indirect,
            "differences": [_difference(one) for one in self.differences],
        }


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that is to go, and does not go yet.

    Attributes:
        group: whose queue and function it is.
        reason: what it waits for, and what to do.
        messages: in its queues, waiting, in hand and delayed; None where they were not counted.
    """

    group: str
    reason: str
    messages: int | None = None


@dataclass(frozen=True)
class Plan:
    """What applying would do.

    Attributes:
        stack: its name.
        place: where it is, such as `aws/eu-west-1`.
        digest: of the artifact that would be deployed.
        before: of the one that is; None where there is none.
        means: how the changes were found.
        changes: what becomes of each resource that does not stay as it is.
        waiting: what goes at a later time.
        refusals: why it must not be applied as it is, each with what to do.
        notes: what else is worth knowing.
    """

    stack: str
    place: str
    digest: str
    before: str | None
    means: Means
    changes: tuple[Change, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    refusals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.changes

    def count(self, action: Action) -> int:
        """How many resources this becomes of, those that change indirectly left out."""
        return sum(one.action == action and not one.indirect for one in self.changes)

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "stack": self.stack,
            "place": self.place,
            "digest": self.digest,
            "before": self.before,
            "means": self.means,
            "changes": [one.document() for one in self.changes],
            "waiting": [
                {"group": one.group, "reason": one.reason, "messages": one.messages}
                for one in self.waiting
            ],
            "refusals": list(self.refusals),
            "notes": list(self.notes),
        }


def _difference(one: Difference) -> dict[str, Any]:
    told: dict[str, Any] = {"path": one.path}
    if one.before is not ABSENT:
        told["before"] = one.before
    if one.after is not ABSENT:
        told["after"] = one.after
    return told
