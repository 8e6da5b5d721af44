"""Keys that encrypt or sign: whether one is in use, and its rotation."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from crosswind.actions import Action, Answer, Query

Name = Annotated[str, Field(min_length=1, max_length=128)]


class KeyState(Answer):
    """A key that encrypts or signs.

    Attributes:
        state: as the cloud names it, in lower case.
        rotations: how often it was rotated on demand.
        rotated: when last, seconds since the epoch; None if never.
    """

    key: str
    enabled: bool
    state: str
    rotations: int = 0
    rotated: float | None = None


class KeyStatus(Query[KeyState], kind="key.status"):
    """Whether a key is in use, and how often it was rotated."""

    key: Name


class RotateKey(Action[KeyState], kind="key.rotate"):
    """Give a key new material now; what was encrypted before stays readable."""

    key: Name

    def assumed(self) -> KeyState:
        """As if it had been rotated."""
        return KeyState(key=self.key, enabled=True, state="enabled", rotations=1)

    def summary(self) -> str:
        """One line."""
        return f"rotate key {self.key}"


class EnableKey(Action[KeyState], kind="key.enable"):
    """Let a key be used again."""

    key: Name

    def assumed(self) -> KeyState:
        """As if it were in use."""
        return KeyState(key=self.key, enabled=True, state="enabled")

    def summary(self) -> str:
        """One line."""
        return f"enable key {self.key}"


class DisableKey(Action[KeyState], kind="key.disable"):
    """Let a key no longer be used; it can be enabled again."""

    key: Name

    def assumed(self) -> KeyState:
        """As if it were out of use."""
        return KeyState(key=self.key, enabled=False, state="disabled")

    def summary(self) -> str:
        """One line."""
        return f"disable key {self.key}"
