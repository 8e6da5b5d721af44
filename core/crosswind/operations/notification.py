"""Notification: telling people."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from crosswind.actions import Action, Answer


class Notified(Answer):
    """Where the notice went."""

    channel: str


class Notify(Action[Notified], kind="notify.send"):
    """Tell people something; allowed after the chain has closed."""

    after_close: ClassVar[bool] = True

    channel: str = Field(default="default", max_length=128)
    title: str = Field(max_length=200)
    text: str = Field(default="", max_length=4000)

    def assumed(self) -> Notified:
        """As if it had been sent."""
        return Notified(channel=self.channel)
