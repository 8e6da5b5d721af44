"""Performers on AWS: the neutral actions and queries, carried out with the SDK.

    from crosswind_aws.performers import deployed

    handler = lambda_handler(app, fleet=fleet, performers=deployed(resources, fleet))

| module                   | what is in it                                                      |
|--------------------------|--------------------------------------------------------------------|
| resources                | what stands for a fleet in an account, as it is declared           |
| declarations             | reads that from a file, and holds it against the fleet             |
| permissions              | which rights each performer needs, and a role's statements         |
| failures, asking         | what went wrong, told apart; a request within a time               |
| intentions, own_table    | what the register intends, where a service compares no epoch; the  |
|                          | table in which a deployed function finds it                        |
| traffic                  | shares of the traffic: records or controls                         |
| route53, routing_controls| weighted records of Route 53; routing controls of ARC              |
| endpoints, scaling       | replicas: what is there, and one order for them                    |
| replicas                 | what a service that has replicas does                              |
| ecs, sagemaker           | tasks of ECS; instances of SageMaker                               |
| telemetry                | what is measured: by probes, and by metrics                        |
| probing, cloudwatch      | synthetic requests; metrics of CloudWatch                          |
| notices                  | telling people, by SNS                                             |
| secrets_manager, kms     | versions of secrets; keys                                          |
| spend                    | what was spent, by Cost Explorer                                   |

The SDK is imported with the first request.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from crosswind_aws.performers.resources import InvalidResources, Resources

if TYPE_CHECKING:
    from crosswind.actions import Performer
    from crosswind.fleet.declaration import Fleet
    from crosswind.ports import Store
    from crosswind_aws.performers.secrets_manager import Issuer

__all__ = ["InvalidResources", "Resources", "deployed", "performers"]


def performers(
    resources: Resources,
    fleet: Fleet,
    *,
    store: Store | None = None,
    clock: Callable[[], float] = time.time,
    issue: Issuer | None = None,
) -> tuple[Performer, ...]:
    """All performers of an account, as an engine takes them.

    Args:
        resources: what stands for the fleet in the account.
        fleet: as it is declared.
        store: of the register. With it come the performers of the register and of incidents, which
            are kept there, and those whose service compares no epoch assert what is newest; without
            it that is left to the reconciliation.
        clock: seconds since the epoch.
        issue: makes the values of new versions of secrets; random ones unless given.
    """
    from crosswind_aws.performers.endpoints import EndpointPerformer
    from crosswind_aws.performers.intentions import intentions
    from crosswind_aws.performers.kms import KeyPerformer
    from crosswind_aws.performers.notices import NoticePerformer
    from crosswind_aws.performers.secrets_manager import SecretPerformer
    from crosswind_aws.performers.spend import SpendPerformer
    from crosswind_aws.performers.telemetry import TelemetryPerformer
    from crosswind_aws.performers.traffic import TrafficPerformer

    newer = None if store is None else intentions(store, fleet)
    ours: tuple[Performer, ...] = (
        TrafficPerformer(resources, fleet, newer),
        EndpointPerformer(resources, newer),
        TelemetryPerformer(resources, clock),
        NoticePerformer(resources, fleet.name, store, clock),
        SecretPerformer(resources, issue),
        KeyPerformer(resources),
        SpendPerformer(resources, clock),
    )
    if store is None:
        return ours
    from crosswind.chains.incidents.performer import IncidentPerformer
    from crosswind.fleet.register import RegisterPerformer

    register = RegisterPerformer(store, fleet, clock=clock)
    return (*ours, register, IncidentPerformer(store, fleet.name, clock))


def deployed(
    resources: Resources, fleet: Fleet, environ: Mapping[str, str] = os.environ
) -> tuple[Performer, ...]:
    """All performers of a deployed function, whose register is kept in the deployed table.

    Args:
        resources: what stands for the fleet in the account.
        fleet: as it is declared.
        environ: says what is deployed around the function. It is read with the first look into
            the table: performers can be made anywhere, as `crosswind package` does. Where it says
            nothing, that look raises DeclarationError.
    """
    from crosswind_aws.performers.own_table import OwnTable

    return performers(resources, fleet, store=OwnTable(environ))
