"""Secrets on AWS: versions of Secrets Manager, told apart by their stages.

Sources: docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
(ClientRequestToken is the version's id; the same one with another value is refused),
API_UpdateSecretVersionStage.html (a stage is moved from exactly one version to another),
API_DescribeSecret.html (versions without a stage are deprecated).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from pydantic import SecretStr

from crosswind.actions import Action, Call, Pending, Query
from crosswind.operations.secrets import (
    Promoted,
    PromoteSecret,
    Renewed,
    RenewSecret,
    Retired,
    RetireSecret,
    SecretState,
    SecretVersions,
    Stage,
)
from crosswind_aws.performers.asking import Deadline, Services, patiently, region_of
from crosswind_aws.performers.failures import CallFailed, InConflict, NotFound
from crosswind_aws.performers.resources import Resources

BYTES: Final = 32
"""Random bytes of a secret that nobody else issues."""

CURRENT: Final = "AWSCURRENT"
PENDING: Final = "AWSPENDING"
PREVIOUS: Final = "AWSPREVIOUS"

_STAGES: Final[dict[str, Stage]] = {
    PENDING: "pending",
    CURRENT: "current",
    PREVIOUS: "previous",
}
_TURNS: Final = 3

Issuer = Callable[[str], SecretStr]
"""Issues the value of a new version of a secret, given the secret's name."""


class SecretPerformer:
    """Renews, promotes and retires versions of secrets, as the resources declare them.

    A repeated key: the id of a new version is made from it, so that the version is there already
    and no other value is put; a stage that is where it is to be stays there. A version is promoted
    only over the one that was current when it was decided, which Secrets Manager compares in the
    same step; it keeps no epoch.

    Neither values nor what Secrets Manager says of a request is told on in an error.

    Args:
        resources: what stands for the fleet.
        issue: makes the values of new versions; random ones unless given. It is asked again where
            an earlier version was issued and not put.
    """

    performs: tuple[type[Action[Any]], ...] = (RenewSecret, PromoteSecret, RetireSecret)
    answers: tuple[type[Query[Any]], ...] = (SecretVersions,)

    def __init__(self, resources: Resources, issue: Issuer | None = None) -> None:
        self._resources = resources
        self._issue = issue or _random
        self._services = Services("secretsmanager", quote=False, meaning=_meaning)

    def perform(
        self, action: RenewSecret | PromoteSecret | RetireSecret, call: Call
    ) -> Renewed | Promoted | Retired | Pending:
        """Carry out an action on a secret.

        Raises:
            CallFailed: see `failures`.
        """
        deadline = Deadline(call.timeout)
        arn = self._arn(action.secret)
        match action:
            case RenewSecret():
                return patiently(lambda: self._renew(action, arn, call.key, deadline))
            case PromoteSecret():
                return patiently(lambda: self._promote(action, arn, deadline))
            case RetireSecret():
                return patiently(lambda: self._retire(action, arn, deadline))

    def answer(self, query: SecretVersions, timeout: float) -> SecretState:
        """The versions of a secret.

        Raises:
            CallFailed: see `failures`.
        """
        stages = self._stages(self._arn(query.secret), Deadline(timeout))
        versions = {
            version: tuple(_STAGES[one] for one in sorted(its) if one in _STAGES)
            for version, its in sorted(stages.items())
        }
        return SecretState(secret=query.secret, versions=versions)

    def _renew(self, action: RenewSecret, arn: str, key: str, deadline: Deadline) -> Renewed:
        version = version_of(key)
        done = Renewed(secret=action.secret, version=version)
        if version in self._stages(arn, deadline):
            return done
        value = self._issue(action.secret)
        try:
            self._services[region_of(arn)](
                "put_secret_value",
                deadline,
                SecretId=arn,
                ClientRequestToken=version,
                SecretString=value.get_secret_value(),
                VersionStages=[PENDING],
            )
        except InConflict:
            pass  # there is such a version with another value: it was put by this very key
        return done

    def _promote(self, action: PromoteSecret, arn: str, deadline: Deadline) -> Promoted:
        moved = InConflict("secretsmanager", "StageMoved")
        for _ in range(_TURNS):
            stages = self._stages(arn, deadline)
            current = _at(stages, CURRENT)
            if action.version not in stages:
                why = f"version {action.version} of {action.secret} has no stage, or is not there"
                raise NotFound("secretsmanager", "NoSuchVersion", why)
            if current == action.version:
                return Promoted(promoted=True, current=current)
            if current != action.over:
                return Promoted(
                    promoted=False,
                    current=current or "",
                    reason=f"another version than {action.over} is current",
                )
            try:
                self._services[region_of(arn)](
                    "update_secret_version_stage",
                    deadline,
                    SecretId=arn,
                    VersionStage=CURRENT,
                    MoveToVersionId=action.version,
                    RemoveFromVersionId=current,
                )
            except InConflict as conflict:
                moved = conflict
                continue
            return Promoted(promoted=True, current=action.version)
        raise moved

    def _retire(self, action: RetireSecret, arn: str, deadline: Deadline) -> Retired:
        its = self._stages(arn, deadline).get(action.version, ())
        if CURRENT in its:
            return Retired(retired=False, reason="it is the current version")
        for stage in sorted(its):
            try:
                self._services[region_of(arn)](
                    "update_secret_version_stage",
                    deadline,
                    SecretId=arn,
                    VersionStage=stage,
                    RemoveFromVersionId=action.version,
                )
            except InConflict:
                pass  # another has taken the stage from it meanwhile, as was wanted
        return Retired(retired=True)

    def _stages(self, arn: str, deadline: Deadline) -> dict[str, list[str]]:
        told = self._services[region_of(arn)].read("describe_secret", deadline, SecretId=arn)
        return {str(k): list(v) for k, v in told.get("VersionIdsToStages", {}).items()}

    def _arn(self, name: str) -> str:
        arn = self._resources.secrets.get(name)
        if arn is None:
            raise NotFound("secret", "NotDeclared", f"no secret is declared as {name}")
        return arn


def version_of(key: str) -> str:
    """The id of the version that an action makes: a UUID, as Secrets Manager wants it."""
    return str(uuid5(NAMESPACE_URL, f"crosswind:secret:{key}"))


def _random(name: str) -> SecretStr:
    return SecretStr(secrets.token_urlsafe(BYTES))


def _at(stages: dict[str, list[str]], stage: str) -> str | None:
    return next((version for version, its in stages.items() if stage in its), None)


def _meaning(code: str, said: str) -> type[CallFailed] | None:
    """A stage is not where it was read: InvalidParameterException says so in words alone."""
    if code == "InvalidParameterException" and "staging label" in said.lower():
        return InConflict
    return None
