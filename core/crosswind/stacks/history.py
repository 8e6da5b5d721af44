"""What was deployed before, as it is kept beside the artifacts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from crosswind.errors import CrosswindError

FORMAT: Final = 1

_SHORT: Final = 12
"""Letters of a digest that people are shown."""


class NoSuchRelease(CrosswindError, LookupError):
    """No release, or more than one, is meant."""


class Deployed(BaseModel):
    """One deployment.

    A release is an artifact, by its digest. One that is applied again with other sizes is deployed
    again, and is the same release: who returns to the release before passes over that, and who
    returns to it gets the sizes that it had last.

    Attributes:
        at: when, seconds since the epoch.
        by: who, as the platform knows them.
        digest: of the artifact.
        template: where the template is kept by which it is deployed again.
        outcome: whether it stands, or was taken back.
        why: for what reason it was taken back.
        rollback: whether it was a return to an earlier one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1] = FORMAT
    at: float
    by: str
    app: str
    digest: str
    template: str
    outcome: Literal["applied", "reverted"]
    why: str = ""
    rollback: bool = False

    def document(self) -> dict[str, Any]:
        """For programs."""
        return self.model_dump(mode="json", exclude={"format"})


def parse(body: bytes) -> Deployed | None:
    """A record; None where another version of Crosswind has written what this one cannot read."""
    try:
        return Deployed.model_validate_json(body)
    except ValidationError:
        return None


def choose(history: Sequence[Deployed], current: str | None, digest: str | None) -> Deployed:
    """The release to return to.

    Args:
        history: oldest first.
        current: digest of what is deployed.
        digest: the beginning of that of the one that is meant; the one before unless given.

    Raises:
        NoSuchRelease: there is none, or several are.
    """
    stood = [one for one in history if one.outcome == "applied"]
    if digest is None:
        earlier = [one for one in stood if one.digest != current]
        if not earlier:
            raise NoSuchRelease(
                "no other artifact was deployed before, so there is none to return to; sizes are "
                "changed back by applying again"
            )
        return earlier[-1]
    found = {one.digest: one for one in stood if one.digest.startswith(digest.lower())}
    if not found:
        raise NoSuchRelease(f"no release begins with {digest}; see: crosswind stack history")
    if len(found) > 1:
        listed = ", ".join(one[:_SHORT] for one in found)
        raise NoSuchRelease(f"several releases begin with {digest}: {listed}")
    return next(iter(found.values()))
