"""What a stack says of itself to whoever works with it from outside: the outputs of its template.

    Bus, Table, Queues         where events, state and messages are
    App, Digest, Groups        what is deployed
    Fleet, Declared            the fleet that is packed in it, where one is

One request to CloudFormation tells all of it. A value has at most 1,024 characters, so that the
groups of a large app stand in several outputs: docs.aws.amazon.com/AWSCloudFormation/latest/
UserGuide/cloudformation-limits.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from crosswind.stacks.driver import StackError
from crosswind_aws.stack import names

if TYPE_CHECKING:
    from crosswind.stacks.release import Release

_LONGEST: Final = 1_000
_GROUPS: Final = "Groups"
_NEEDED: Final = ("App", "Bus", "Digest", "Groups", "Queues", "Table")


class Told(NamedTuple):
    """The outputs of a stack.

    Attributes:
        bus: ARN of the event bus.
        table: name of the table.
        queues: what the ARN of every group's queue begins with.
        fleet, declared: name and digest of the fleet; None where it has none.
    """

    app: str
    digest: str
    groups: tuple[str, ...]
    bus: str
    table: str
    queues: str
    fleet: str | None
    declared: str | None


def outputs(stack: str, release: Release) -> dict[str, Any]:
    """The outputs of a template."""
    said: dict[str, tuple[str, Any]] = {
        "Bus": ("Put events here", names.of("AppBus")),
        "Table": ("State is kept here", {"Ref": "AppTable"}),
        "Queues": ("The queues of groups begin like this", names.arn("sqs", f"{stack}-")),
        "App": ("What is deployed", release.app),
        "Digest": ("Of the artifact that is deployed", release.digest),
    }
    for number, part in enumerate(_parts(group.name for group in release.groups)):
        said[f"{_GROUPS}{number or ''}"] = ("Whose handlers run here", part)
    if release.fleet is not None:
        said["Fleet"] = ("The fleet that is packed in it", release.fleet.name)
        said["Declared"] = ("Of the declaration of that fleet", release.fleet.digest)
    return {name: {"Description": text, "Value": value} for name, (text, value) in said.items()}


def read(stack: str, given: Mapping[str, str]) -> Told:
    """What the outputs of a stack say.

    Raises:
        StackError: some are missing.
    """
    missing = [name for name in _NEEDED if not given.get(name)]
    if missing:
        raise StackError(
            f"stack {stack} does not say what it is made of (no output {', '.join(missing)}): it "
            "is none of Crosswind, or was deployed by an older version; then deploy it again with: "
            "crosswind stack apply aws"
        )
    numbered = sorted(name for name in given if name.startswith(_GROUPS))
    numbered.sort(key=len)
    return Told(
        app=given["App"],
        digest=given["Digest"],
        groups=tuple(group for name in numbered for group in given[name].split(",")),
        bus=given["Bus"],
        table=given["Table"],
        queues=given["Queues"],
        fleet=given.get("Fleet"),
        declared=given.get("Declared"),
    )


def _parts(groups: Iterable[str]) -> list[str]:
    """The groups in as many lists as are needed; no group has a comma in its name."""
    parts = [""]
    for group in groups:
        longer = f"{parts[-1]},{group}" if parts[-1] else group
        if len(longer) <= _LONGEST:
            parts[-1] = longer
        else:
            parts.append(group)
    return parts
