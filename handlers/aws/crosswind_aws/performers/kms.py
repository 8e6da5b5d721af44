"""Keys on AWS: keys of KMS, rotated on demand, enabled and disabled.

Sources: docs.aws.amazon.com/kms/latest/APIReference/API_RotateKeyOnDemand.html (no token; a number
of rotations in the life of a key), API_GetKeyRotationStatus.html (OnDemandRotationStartDate while
one is in progress), API_ListKeyRotations.html, API_EnableKey.html, API_DisableKey.html.
"""

from __future__ import annotations

from typing import Any, Final

from crosswind.actions import Action, Call, Pending, Query
from crosswind.operations.keys import DisableKey, EnableKey, KeyState, KeyStatus, RotateKey
from crosswind_aws.performers.asking import (
    Deadline,
    Service,
    Services,
    digest,
    patiently,
    region_of,
)
from crosswind_aws.performers.failures import InConflict, NotFound
from crosswind_aws.performers.resources import Resources

KEY: Final = "crosswind:key"
BEFORE: Final = "crosswind:rotations"
"""The tags of a key: which action rotates it, and how many rotations there were before."""

CHECK_AFTER: Final = 10.0
"""Seconds after which a rotation that is in progress is looked at again."""

ON_DEMAND: Final = "ON_DEMAND"


class KeyPerformer:
    """Rotates, enables and disables keys, as the resources declare them.

    A repeated key of an action: before a rotation is asked for, the action's key and the number of
    rotations so far are left as tags; whoever asks again sees by that number whether it was done,
    and by KMS's own word whether it is in progress. A key that is enabled or disabled already is
    left so. KMS keeps no epoch.

    Args:
        resources: what stands for the fleet.
        check_after: seconds after which a rotation that is in progress is looked at again.
    """

    performs: tuple[type[Action[Any]], ...] = (RotateKey, EnableKey, DisableKey)
    answers: tuple[type[Query[Any]], ...] = (KeyStatus,)

    def __init__(self, resources: Resources, *, check_after: float = CHECK_AFTER) -> None:
        self._resources = resources
        self._check_after = check_after
        self._services = Services("kms")

    def perform(self, action: RotateKey | EnableKey | DisableKey, call: Call) -> KeyState | Pending:
        """Carry out an action on a key.

        Raises:
            Short: the key has been rotated as often as it may be.
            CallFailed: see `failures`.
        """
        deadline = Deadline(call.timeout)
        arn = self._arn(action.key)
        match action:
            case RotateKey():
                return patiently(lambda: self._rotate(action.key, arn, digest(call.key), deadline))
            case EnableKey():
                return patiently(lambda: self._turn(action.key, arn, True, deadline))
            case DisableKey():
                return patiently(lambda: self._turn(action.key, arn, False, deadline))

    def answer(self, query: KeyStatus, timeout: float) -> KeyState:
        """The state of a key.

        Raises:
            CallFailed: see `failures`.
        """
        return self._state(query.key, self._arn(query.key), Deadline(timeout))

    def _rotate(self, name: str, arn: str, key: str, deadline: Deadline) -> KeyState | Pending:
        ask = self._services[region_of(arn)]
        state = self._state(name, arn, deadline)
        tags = {
            str(one["TagKey"]): str(one["TagValue"])
            for one in ask.read("list_resource_tags", deadline, KeyId=_id(arn))["Tags"]
        }
        before = state.rotations
        if tags.get(KEY) == key:
            before = int(tags.get(BEFORE, "0"))
        else:
            told = [
                {"TagKey": KEY, "TagValue": key},
                {"TagKey": BEFORE, "TagValue": str(before)},
            ]
            ask("tag_resource", deadline, KeyId=_id(arn), Tags=told)
        if state.rotations > before:
            return state
        if self._in_progress(ask, arn, deadline):
            return Pending(self._check_after, f"a rotation of {name} is in progress")
        try:
            ask("rotate_key_on_demand", deadline, KeyId=_id(arn))
        except InConflict as conflict:
            return Pending(self._check_after, str(conflict))
        state = self._state(name, arn, deadline)
        if state.rotations > before:
            return state
        return Pending(self._check_after, f"a rotation of {name} is in progress")

    def _turn(self, name: str, arn: str, on: bool, deadline: Deadline) -> KeyState:
        state = self._state(name, arn, deadline)
        if state.enabled == on:
            return state
        operation = "enable_key" if on else "disable_key"
        self._services[region_of(arn)](operation, deadline, KeyId=_id(arn))
        return state.model_copy(update={"enabled": on, "state": "enabled" if on else "disabled"})

    def _state(self, name: str, arn: str, deadline: Deadline) -> KeyState:
        ask = self._services[region_of(arn)]
        told = ask.read("describe_key", deadline, KeyId=_id(arn))["KeyMetadata"]
        rotated = self._rotations(ask, arn, deadline)
        return KeyState(
            key=name,
            enabled=told["KeyState"] == "Enabled",
            state=str(told["KeyState"]).lower(),
            rotations=len(rotated),
            rotated=max(rotated, default=None),
        )

    @staticmethod
    def _rotations(ask: Service, arn: str, deadline: Deadline) -> list[float]:
        """When the key was rotated on demand; its yearly rotation is another matter."""
        found: list[float] = []
        asked = {"KeyId": _id(arn)}
        while True:
            page = ask.read("list_key_rotations", deadline, **asked)
            found += [
                one["RotationDate"].timestamp()
                for one in page["Rotations"]
                if one["RotationType"] == ON_DEMAND
            ]
            if not page.get("Truncated"):
                return found
            asked["Marker"] = page["NextMarker"]

    @staticmethod
    def _in_progress(ask: Service, arn: str, deadline: Deadline) -> bool:
        told = ask.read("get_key_rotation_status", deadline, KeyId=_id(arn))
        return told.get("OnDemandRotationStartDate") is not None

    def _arn(self, name: str) -> str:
        arn = self._resources.keys.get(name)
        if arn is None:
            raise NotFound("key", "NotDeclared", f"no key is declared as {name}")
        return arn


def _id(arn: str) -> str:
    """The id of a key, which every operation takes."""
    return arn.rpartition("/")[2]
