"""What applying would do, and all that is needed to do it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from crosswind.stacks.driver import Denied
from crosswind.stacks.plan import Change, Means, Plan
from crosswind_aws.performers.resources import Resources
from crosswind_aws.stack import rights
from crosswind_aws.stack.artifacts import Shelf
from crosswind_aws.stack.aws import Aws
from crosswind_aws.stack.changesets import ChangeSet
from crosswind_aws.stack.comparison import compare
from crosswind_aws.stack.draining import Drained
from crosswind_aws.stack.standing import Standing
from crosswind_aws.stack.template import INLINE, Template, about, written

_HOLDING: Final = {
    "AWS::DynamoDB::Table": "the state of every chain",
    "AWS::Events::EventBus": "what others publish to",
    "AWS::SQS::Queue": "events that nobody has worked",
}
"""Types whose resources hold what is lost where they are made anew."""


@dataclass(frozen=True)
class Draft:
    """A plan, and what it takes to carry it out.

    Attributes:
        wanted: the template without what waits; by which the release is deployed again.
        final: the template that is applied.
        artifact: the file of the artifact; None where it is in the bucket already.
    """

    plan: Plan
    app: str
    wanted: str
    final: str
    standing: Standing | None
    artifact: Path | None
    rollback: bool = False

    @property
    def tags(self) -> dict[str, str]:
        """Of the stack, which its resources inherit."""
        return tags(self.app, self.plan.digest)


def tags(app: str, digest: str) -> dict[str, str]:
    """What a stack and its resources are told by."""
    return {"crosswind:app": app, "crosswind:digest": digest}


def changes(
    aws: Aws,
    shelf: Shelf,
    stack: str,
    standing: Standing | None,
    drained: Drained,
    *,
    look_only: bool,
) -> tuple[tuple[Change, ...], Means, list[str]]:
    """What becomes of each resource, how that was found, and what to know of it."""
    compared = {
        one.resource: one
        for one in compare(None if standing is None else standing.template, drained.template)
    }
    local = tuple(compared.values())
    if standing is None or look_only:
        return local, "comparison", []
    text = written(drained.template)
    said = about(drained.template)
    try:
        found = _asked(aws, shelf, stack, text, tags(said["app"], said["digest"]), compared)
    except Denied as error:
        note = f"the templates were compared here, as no change set may be made: {error.__cause__}"
        return local, "comparison", [note]
    return found, "change set", []


def notes(
    standing: Standing | None,
    wanted: Template,
    kinds: frozenset[str],
    declared: Resources,
    grants: Mapping[str, Any],
) -> Iterator[str]:
    """What else is worth knowing."""
    unknown = rights.unknown(kinds, grants)
    if unknown:
        yield (
            f"nobody says what rights these kinds need: {', '.join(unknown)}; grant them with "
            "--grants FILE, or they will be refused"
        )
    unbound = rights.unbound(kinds, declared)
    if unbound:
        yield (
            f"no resource is declared for these kinds, so no right is given for them: "
            f"{', '.join(unbound)}; declare it with --resources FILE"
        )
    heard = wanted["Metadata"]["Crosswind"]["signals"]
    if heard is not None:
        yield f"group {heard} hears what AWS says of regions; choose another with --signals"
    if standing is None:
        return
    now = about(wanted)["groups"]
    for group, before in standing.about.get("groups", {}).items():
        lost = sorted(set(before["takes"]) - set(now.get(group, before)["takes"]))
        if lost:
            yield (
                f"group {group} no longer takes {', '.join(lost)}; such events that its queue "
                "holds become dead letters"
            )


def refusals(changes: tuple[Change, ...], standing: Standing | None, app: str) -> Iterator[str]:
    """Why this must not be applied, whoever asks for it."""
    if standing is not None and standing.about["app"] != app:
        yield (
            f"the stack has app {standing.about['app']} in it, and this is {app}; give this one a "
            "stack of its own with --stack"
        )
    for one in changes:
        if one.replaced == "yes" and one.type in _HOLDING:
            yield (
                f"{one.resource} would be made anew, and with it goes {_HOLDING[one.type]}; leave "
                "its name as it is, or deploy a second stack"
            )


def _asked(
    aws: Aws,
    shelf: Shelf,
    stack: str,
    text: str,
    tagging: Mapping[str, str],
    compared: Mapping[str, Change],
) -> tuple[Change, ...]:
    """What CloudFormation says; nothing of it stays."""
    draft = shelf.put_draft(text) if len(text.encode()) > INLINE else None
    try:
        source = {"TemplateBody": text} if draft is None else {"TemplateURL": shelf.url(draft)}
        parameters = {"ArtifactBucket": shelf.name}
        change_set = ChangeSet(aws, stack, source, parameters, tagging, create=False)
        try:
            return tuple(change_set.changes(compared))
        finally:
            change_set.delete()
    finally:
        if draft is not None:
            shelf.drop([draft])
