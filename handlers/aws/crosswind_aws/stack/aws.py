"""Clients for whoever deploys, and what their errors mean.

They are patient, unlike those of a function, and take profile, region and endpoint where the SDK
finds them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
)

from crosswind.stacks.driver import Busy, Denied, StackError
from crosswind_aws.faults import THROTTLED, code_of

if TYPE_CHECKING:
    from botocore.session import Session

DENIED: Final = {
    "AccessDenied",
    "AccessDeniedException",
    "AllAccessDisabled",
    "AuthorizationError",
    "UnauthorizedOperation",
    "403",
}
"""Codes of the services that are asked here for a right that is missing."""

NO_CREDENTIALS: Final = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
)
"""Errors of the SDK that say that whoever asks is not signed in."""

_NO_REGION: Final = (
    "no region is named; set AWS_REGION, or give --region (of --data: aws:STACK@REGION)"
)

_UNKNOWN: Final = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
}


class Aws:
    """The services that a stack is made of, in one account and region.

    Args:
        region: of the stack; that of the environment or profile unless given.
        session: of the SDK; one of its own unless given.
    """

    def __init__(self, region: str | None = None, session: Session | None = None) -> None:
        from botocore.session import get_session

        self._session = session or get_session()
        self._asked_region = region

    @cached_property
    def region(self) -> str:
        """Where the stack is.

        Raises:
            StackError: nobody says.
        """
        # AWS's other tools read AWS_REGION; this SDK alone knows only AWS_DEFAULT_REGION.
        asked = self._asked_region or os.environ.get("AWS_REGION")
        with explained("find its region"):
            found = asked or self._session.get_config_variable("region")
        if not found:
            raise StackError(_NO_REGION)
        return str(found)

    @property
    def place(self) -> str:
        """The region as a fleet names it."""
        return f"aws/{self.region}"

    @cached_property
    def caller(self) -> tuple[str, str]:
        """The account, and who asks."""
        with explained("find out whose credentials these are"):
            answer = self.sts.get_caller_identity()
        return str(answer["Account"]), str(answer["Arn"])

    # The stubs of these services are not among what the tests need; what is asked of them is
    # checked by the emulator.

    @cached_property
    def cloudformation(self) -> Any:
        """CloudFormation."""
        return self._client("cloudformation")

    @cached_property
    def s3(self) -> Any:
        """S3."""
        return self._client("s3")

    @cached_property
    def sts(self) -> Any:
        """The security token service."""
        return self._client("sts")

    @cached_property
    def sqs(self) -> Any:
        """SQS."""
        return self._client("sqs")

    @cached_property
    def dynamodb(self) -> Any:
        """DynamoDB, asked once: whoever repeats a write has to know that it does."""
        return self._client("dynamodb", attempts=1)

    @cached_property
    def events(self) -> Any:
        """EventBridge."""
        return self._client("events")

    @cached_property
    def functions(self) -> Any:
        """Lambda."""
        return self._client("lambda")

    @cached_property
    def logs(self) -> Any:
        """CloudWatch Logs."""
        return self._client("logs")

    @cached_property
    def cloudwatch(self) -> Any:
        """CloudWatch."""
        return self._client("cloudwatch")

    @cached_property
    def scheduler(self) -> Any:
        """EventBridge Scheduler."""
        return self._client("scheduler")

    def _client(self, service: str, attempts: int = 8) -> Any:
        from botocore.config import Config

        config = Config(
            retries={"total_max_attempts": attempts, "mode": "standard"},
            user_agent_extra="crosswind",
        )
        return self._session.create_client(
            service,
            region_name=self.region,
            config=config,
        )


@contextmanager
def explained(purpose: str) -> Iterator[None]:
    """Say what an error of the SDK means.

    Args:
        purpose: what was being done, such as `read the template`.

    Raises:
        Denied: a right is missing.
        Busy: AWS is throttled, or cannot be reached.
        StackError: what else AWS says.
    """
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        if code in DENIED:
            raise Denied(f"these credentials may not {purpose}: {error}") from error
        if code in _UNKNOWN:
            raise StackError(
                f"AWS does not know these credentials: {error}; sign in again"
            ) from error
        if code in THROTTLED or code in {"Throttling", "ServiceUnavailable", "SlowDown"}:
            raise Busy(f"AWS is too busy to {purpose}: {error}") from error
        raise StackError(f"AWS refused to {purpose}: {error}") from error
    except NoRegionError as error:
        raise StackError(_NO_REGION) from error
    except NO_CREDENTIALS as error:
        raise StackError(
            f"there are no credentials of AWS to {purpose}: {error}; sign in (aws sso login), or "
            "set AWS_PROFILE"
        ) from error
    except BotoCoreError as error:
        raise Busy(f"AWS cannot be asked to {purpose}: {error}") from error
