"""What things are called: in the template, and in the account.

Names in the account begin with the name of the stack, so that several stacks fit in one account and
whoever looks sees whose a thing is. Names in the template depend on one group alone, so that a
group that comes or goes renames nothing of another.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

PREFIX: Final = "crosswind-"
"""What the name of a stack begins with, unless it is given."""

STACK: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,73}")
"""The name of a stack, short enough that the queues of a group of one letter can bear it."""

FUNCTION: Final = 64
"""Letters of a function's name, and of a rule's, a schedule's and a schedule group's:
docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html."""

_BUCKET: Final = 63
_DIGEST: Final = 8
_PLAIN: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*")


def fitted(name: str, longest: int) -> str:
    """A name, or where it is too long its beginning and a digest of all of it."""
    if len(name) <= longest:
        return name
    return f"{name[: longest - _DIGEST - 1]}-{_digest(name)}"


def logical(group: str) -> str:
    """What the names of a group's resources begin with in the template; no two groups share it."""
    spelt = "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", group))
    return spelt if _PLAIN.fullmatch(group) else f"{spelt}{_digest(group)}"


def function(stack: str, group: str) -> str:
    """The function of a group."""
    return fitted(f"{stack}-{group}", FUNCTION)


def log_group(stack: str, group: str) -> str:
    """Where the function of a group logs to."""
    return f"/aws/lambda/{function(stack, group)}"


def bucket(stack: str, account: str, region: str) -> str:
    """Where artifacts, templates and the history of a stack are kept.

    Its name is unique in all of AWS: docs.aws.amazon.com/AmazonS3/latest/userguide/
    bucketnamingrules.html.
    """
    rest = f"-{account}-{region}"
    return fitted(stack.lower(), _BUCKET - len(rest)) + rest


def arn(service: str, resource: str, *, here: bool = True) -> dict[str, str]:
    """An ARN in the account and region of the stack, or in the account alone."""
    place = "${AWS::Region}:${AWS::AccountId}" if here else ":${AWS::AccountId}"
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:{service}:{place}:{resource}"}


def of(resource: str, attribute: str = "Arn") -> dict[str, Any]:
    """An attribute of a resource of the template."""
    return {"Fn::GetAtt": [resource, attribute]}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
