"""An account of AWS, read with rights to read only: for a first fleet, and its past signals.

    rights      every question that is ever asked, with the right that it needs
    asking      asks them: in pages, bounded, in the time given
    account     which regions there are, and every part of them at the same time
    alarms      CloudWatch alarms, and what they watch
    endpoints   SageMaker endpoints and ECS services, and how far they may grow
    records     weighted records of Route 53, and the load balancers that they lead to
    rotations   keys of KMS and secrets of Secrets Manager, never what is in them
    budgets     AWS Budgets
    history     past state changes of alarms, as the bus would have delivered them
    health      past events of AWS Health, likewise

A part that may not be read is named with the right that is missing, and costs nothing else. What is
made of all this, and how it is told, is in `crosswind.adopting`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crosswind_aws.adopt.rights import policy as _policy

if TYPE_CHECKING:
    from crosswind_aws.adopt.account import AwsAccount

__all__ = ["open_account", "policy"]


def policy() -> dict[str, Any]:
    """The policy of IAM that grants exactly what is asked, and nothing that changes anything."""
    return _policy()


def open_account() -> AwsAccount:
    """The account of the credentials that the SDK finds.

    Raises:
        NotAsked: the SDK is not installed.
    """
    # Imported here: it loads the SDK.
    try:
        from crosswind_aws.adopt.account import AwsAccount
    except ModuleNotFoundError as error:
        if error.name != "botocore":
            raise
        from crosswind.adopting.driver import NotAsked

        raise NotAsked("AWS needs its SDK: pip install 'crosswind[aws]'") from error

    return AwsAccount()
