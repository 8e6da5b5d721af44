"""The names of topics and subscriptions.

"Guidelines to name a topic or a subscription",
https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names
"""

import re
from typing import Literal

from crosswind_local.errors import ServiceError

Kind = Literal["topics", "subscriptions"]

DELETED_TOPIC = "_deleted-topic_"
"""What a subscription says of its topic once that is gone."""

_NAME = re.compile(r"projects/([^/]+)/(topics|subscriptions)/([A-Za-z][A-Za-z0-9\-_.~+%]{2,254})")
_PROJECT = re.compile(r"projects/([^/]+)")


def check(kind: Kind, name: str) -> None:
    """See that `name` is a full resource name of that kind.

    Raises:
        ServiceError: it is not (INVALID_ARGUMENT).
    """
    match = _NAME.fullmatch(name)
    if match is None or match[2] != kind or match[3].startswith("goog"):
        raise ServiceError("INVALID_ARGUMENT", f"Invalid [{kind}] name: (name={name})")


def check_project(name: str) -> None:
    """See that `name` is `projects/{project}`.

    Raises:
        ServiceError: it is not (INVALID_ARGUMENT).
    """
    if not _PROJECT.fullmatch(name):
        raise ServiceError("INVALID_ARGUMENT", f"Invalid [projects] name: (name={name})")


def project_of(name: str) -> str:
    """The `projects/{project}` that a resource belongs to."""
    return "/".join(name.split("/", 2)[:2])


def short(name: str) -> str:
    """The last part of a resource name."""
    return name.rsplit("/", 1)[-1]


def missing(name: str) -> ServiceError:
    """The answer for a resource that does not exist."""
    return ServiceError("NOT_FOUND", f"Resource not found (resource={short(name)}).")


def exists(name: str) -> ServiceError:
    """The answer for a resource that exists already."""
    return ServiceError(
        "ALREADY_EXISTS", f"Resource already exists in the project (resource={short(name)})."
    )
