"""The vault of a simulated world: versions of secrets, and keys.

A secret is there with a first version, and a key in use, as soon as somebody asks for it by name.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from crosswind.operations.keys import KeyState
from crosswind.operations.secrets import (
    Promoted,
    PromoteSecret,
    Renewed,
    Retired,
    RetireSecret,
    SecretState,
    Stage,
)

_FIRST: Final = "first"


@dataclass(slots=True)
class _Secret:
    """The versions by what they are; one may be none of it, and is out of use."""

    current: str = _FIRST
    previous: str | None = None
    pending: str | None = None
    known: set[str] = field(default_factory=lambda: {_FIRST})


class Vault:
    """Secrets and keys, by name."""

    def __init__(self) -> None:
        self._secrets: dict[str, _Secret] = {}
        self._keys: dict[str, KeyState] = {}

    def secret(self, name: str) -> SecretState:
        """The versions that are in use."""
        secret = self._secrets.setdefault(name, _Secret())
        staged: tuple[tuple[str | None, Stage], ...] = (
            (secret.pending, "pending"),
            (secret.current, "current"),
            (secret.previous, "previous"),
        )
        return SecretState(
            secret=name,
            versions={version: (stage,) for version, stage in staged if version is not None},
        )

    def renew(self, name: str, key: str) -> Renewed:
        """Make a version, named after the key of the call."""
        secret = self._secrets.setdefault(name, _Secret())
        secret.pending = hashlib.sha256(key.encode()).hexdigest()[:32]
        secret.known.add(secret.pending)
        return Renewed(secret=name, version=secret.pending)

    def promote(self, action: PromoteSecret) -> Promoted:
        """Make a version the current one, over the one that is thought to be."""
        secret = self._secrets.setdefault(action.secret, _Secret())
        if secret.current == action.version:
            return Promoted(promoted=True, current=secret.current)
        if action.version not in secret.known:
            reason = f"there is no version {action.version:.12}"
            return Promoted(promoted=False, current=secret.current, reason=reason)
        if secret.current != action.over:
            reason = f"version {secret.current:.12} is current, not {action.over:.12}"
            return Promoted(promoted=False, current=secret.current, reason=reason)
        secret.previous, secret.current = secret.current, action.version
        if secret.pending == action.version:
            secret.pending = None
        return Promoted(promoted=True, current=secret.current)

    def retire(self, action: RetireSecret) -> Retired:
        """Take a version out of use; never the current one."""
        secret = self._secrets.setdefault(action.secret, _Secret())
        if secret.current == action.version:
            return Retired(retired=False, reason="it is the current version")
        if secret.previous == action.version:
            secret.previous = None
        if secret.pending == action.version:
            secret.pending = None
        secret.known.discard(action.version)
        return Retired(retired=True)

    def key(self, name: str) -> KeyState:
        """A key as it stands."""
        return self._keys.setdefault(name, KeyState(key=name, enabled=True, state="enabled"))

    def rotate(self, name: str, at: float) -> KeyState:
        """Give a key new material at a moment, in seconds since the epoch."""
        key = self.key(name)
        rotated = key.model_copy(update={"rotations": key.rotations + 1, "rotated": at})
        return self._put(rotated)

    def enable(self, name: str, *, enabled: bool) -> KeyState:
        """Let a key be used, or no longer."""
        state = "enabled" if enabled else "disabled"
        return self._put(self.key(name).model_copy(update={"enabled": enabled, "state": state}))

    def _put(self, key: KeyState) -> KeyState:
        self._keys[key.key] = key
        return key
