"""Versions of secrets: what there is, a new one, which one is current.

Versions are pending, current or previous wherever secrets are kept. None of this holds a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from crosswind.actions import Action, Answer, Query

Name = Annotated[str, Field(min_length=1, max_length=128)]
Version = Annotated[str, Field(min_length=1, max_length=64)]
Stage = Literal["pending", "current", "previous"]


class SecretState(Answer):
    """The versions of a secret that are in use, by what they are; it holds none of the values."""

    secret: str
    versions: Mapping[str, tuple[Stage, ...]]

    def of(self, stage: Stage) -> str | None:
        """The version that is at a stage."""
        found = [version for version, stages in self.versions.items() if stage in stages]
        return found[0] if found else None


class SecretVersions(Query[SecretState], kind="secret.versions"):
    """Which versions of a secret there are."""

    secret: Name


class Renewed(Answer):
    """The version that was made; nobody uses it until it is promoted."""

    secret: str
    version: str


class RenewSecret(Action[Renewed], kind="secret.renew"):
    """Make a new version of a secret, which is pending.

    Args:
        secret: its name in the declaration of resources.
    """

    secret: Name

    def assumed(self) -> Renewed:
        """As if it had been made."""
        return Renewed(secret=self.secret, version="assumed")

    def summary(self) -> str:
        """One line."""
        return f"make a new version of secret {self.secret}"


class Promoted(Answer):
    """Whether the version is the current one; `current` is the version that is."""

    promoted: bool
    current: str
    reason: str = ""


class PromoteSecret(Action[Promoted], kind="secret.promote"):
    """Make a version of a secret the current one; what was current becomes the previous.

    Args:
        secret: its name in the declaration of resources.
        version: the version that is to be current; an earlier one for the way back.
        over: the version that is current now; where it is another one, nothing is done.
    """

    secret: Name
    version: Version
    over: Version

    def assumed(self) -> Promoted:
        """As if it were current."""
        return Promoted(promoted=True, current=self.version)

    def summary(self) -> str:
        """One line."""
        return f"make version {self.version:.12} of secret {self.secret} the current one"


class Retired(Answer):
    """Whether the version is out of use."""

    retired: bool
    reason: str = ""


class RetireSecret(Action[Retired], kind="secret.retire"):
    """Take a version of a secret out of use; the current one never is."""

    secret: Name
    version: Version

    def assumed(self) -> Retired:
        """As if it were out of use."""
        return Retired(retired=True)

    def summary(self) -> str:
        """One line."""
        return f"retire version {self.version:.12} of secret {self.secret}"
