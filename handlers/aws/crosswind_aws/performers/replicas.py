"""Replicas of one endpoint on AWS, as the performer of endpoints sees and orders them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from crosswind_aws.performers.asking import Deadline

T_contra = TypeVar("T_contra", contravariant=True)

EPOCH: Final = "crosswind:epoch"
KEY: Final = "crosswind:key"
"""The tags that an endpoint carries: the epoch in force, and the key that brought it."""


class Mark(NamedTuple):
    """What is left with an endpoint: the epoch in force, and the key that brought it."""

    epoch: int = 0
    key: str = ""

    def tags(self, key: str, value: str) -> list[dict[str, str]]:
        """As tags, in the spelling of a service."""
        return [{key: EPOCH, value: str(self.epoch)}, {key: KEY, value: self.key}]

    @classmethod
    def of(cls, tags: Iterable[Mapping[str, Any]], key: str, value: str) -> Mark:
        """What the tags of an endpoint say; epoch 0 where they say nothing."""
        found = {str(tag[key]): str(tag[value]) for tag in tags}
        epoch = found.get(EPOCH, "0")
        return cls(int(epoch) if epoch.isdecimal() else 0, found.get(KEY, ""))


class Seen(NamedTuple):
    """An endpoint as it is.

    Attributes:
        arn: of the endpoint.
        desired: replicas that AWS was asked for.
        ready: replicas that serve.
        starting: replicas that are on their way.
        mark: what was left with it.
        busy: why it takes no order now.
        short: why there will be less than was asked for.
    """

    arn: str
    desired: int
    ready: int
    starting: int
    mark: Mark = Mark()
    busy: str = ""
    short: str = ""


class Replicas(Protocol, Generic[T_contra]):
    """Replicas of one kind of endpoint."""

    least: int
    """How many there are at the least."""

    def find(self, endpoint: T_contra, region: str, deadline: Deadline, *, marked: bool) -> Seen:
        """See an endpoint.

        Args:
            region: as AWS names it.
            marked: read what was left with it as well.

        Raises:
            NotFound: there is none of that name.
        """
        ...

    def order(self, endpoint: T_contra, region: str, count: int, deadline: Deadline) -> None:
        """Ask for so many replicas in total.

        Raises:
            Short: a quota is reached; nothing was done.
            InConflict: it takes no order now.
        """
        ...

    def mark(self, arn: str, region: str, mark: Mark, deadline: Deadline) -> None:
        """Leave epoch and key with an endpoint."""
        ...

    def possible(self, said: str, seen: Seen) -> int | None:
        """How many there can be, as far as a refusal says so."""
        ...
