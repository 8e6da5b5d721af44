"""What is true of AWS Lambda alone about an artifact: runtimes, what they have, limits, the entry.

One artifact serves every group of an app, and the variable CROSSWIND_GROUP of a function says which
is its own: the groups of an app share all modules but their handlers', so that an artifact for each
would upload the same megabytes several times, and a digest would no longer say which code a whole
chain has run. A group that needs a library that the others must not carry is an app of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from crosswind.packaging.platform import Aside, Declared, Entry, Limit, Platform, Pruning, Runtime
from crosswind_aws.deployment import Deployment

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet

GROUP_VARIABLE: Final = "CROSSWIND_GROUP"

_ONLY_FOR_VALIDATION: Final = (
    "middlewares.async_utils",
    "middlewares.openapi_validation",
    "openapi.compat",
    "openapi.dependant",
    "openapi.encoders",
    "openapi.models",
    "openapi.params",
    "openapi.schema_generator",
    "openapi.swagger_ui",
)
"""What the event handler imports only to check requests by their types, or to describe them."""

_AL2, _AL2023 = (2, 26), (2, 34)
"""The glibc of Amazon Linux 2 and of Amazon Linux 2023."""

# "Deprecation date" of the table on https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html,
# as of November 2026. From then on a runtime gets no security updates and no support; that its
# functions can still be created or updated for some months is no reason to make new artifacts.
_RUNTIMES: Final = (
    Runtime("python3.8", (3, 8), _AL2, date(2024, 10, 14)),
    Runtime("python3.9", (3, 9), _AL2, date(2025, 12, 15)),
    Runtime("python3.10", (3, 10), _AL2, date(2026, 10, 31)),
    Runtime("python3.11", (3, 11), _AL2, date(2027, 6, 30)),
    Runtime("python3.12", (3, 12), _AL2023, date(2028, 10, 31)),
    Runtime("python3.13", (3, 13), _AL2023, date(2029, 6, 30)),
    Runtime("python3.14", (3, 14), _AL2023, date(2029, 6, 30)),
)


def entry(about: Entry) -> str:
    """The module that Lambda imports; its `handler` is what Lambda calls.

    Nothing looks for garbage while it is imported: what is made then stays, and to go through it
    again and again takes a fifth of a start. Afterwards it is left out of every search.
    """
    line, app = about.app.imported("_app")
    lines = [f'"""The entry of {about.app.name} on AWS Lambda, made by `crosswind package`."""', ""]
    lines += ["import gc", "", "gc.disable()"]
    if about.group is not None:
        # Before anything is imported, as the function reads it while it is made.
        lines += ["import os", "", f"os.environ.setdefault({GROUP_VARIABLE!r}, {about.group!r})"]
    lines += ["from crosswind_aws.function import lambda_handler", line]
    arguments, assigned, performers = [app], [], []
    if about.performers is not None:
        line, own = about.performers.imported("_performers")
        lines.append(line)
        performers.append(own)
    if about.fleet is not None:
        lines += ["from crosswind.fleet.load import load_fleet", "from pathlib import Path"]
        fleet = f"load_fleet(Path(__file__).with_name({about.fleet!r}))"
        if about.resources is not None:
            assigned.append(f"_fleet = {fleet}")
            fleet = "_fleet"
        arguments.append(f"fleet={fleet}")
    if about.resources is not None:
        lines += [
            "from crosswind_aws.performers import deployed",
            "from crosswind_aws.performers.declarations import load_resources",
        ]
        read = f"load_resources(Path(__file__).with_name({about.resources!r}))"
        assigned.append(f"_deployed = deployed({read}, _fleet)")
        performers.append("_deployed")
    if len(performers) == 1:
        arguments.append(f"performers={performers[0]}")
    elif performers:
        arguments.append(f"performers=({', '.join(f'*{one}' for one in performers)},)")
    lines += ["", *assigned, f"handler = lambda_handler({', '.join(arguments)})"]
    lines += ["gc.freeze()", "gc.enable()"]
    return "".join(f"{line}\n" for line in lines)


def read_resources(path: Path, fleet: Fleet) -> Declared:
    """What a file declares to stand for a fleet in an account.

    Raises:
        InvalidResources: lists every fault with its line.
    """
    from crosswind_aws.performers.declarations import faults, load_resources

    resources = load_resources(path)
    document = resources.model_dump(mode="json", exclude_unset=True)
    return Declared(document, tuple(faults(resources, fleet)))


def environment(group: str) -> Mapping[str, str]:
    """What a deployed function finds, with names that stand for nothing."""
    deployment = Deployment(
        group=group,
        table="crosswind",
        bus="crosswind",
        queues="arn:aws:sqs:us-east-1:123456789012:crosswind-",
    )
    return {
        **deployment.to_env(),
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": "crosswind",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


PLATFORM: Final = Platform(
    cloud="aws",
    title="AWS Lambda",
    runtimes=MappingProxyType({one.name: one for one in _RUNTIMES}),
    architectures=("x86_64", "arm64"),
    packages=("crosswind_aws",),
    extra="aws",
    # https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html: each runtime has the SDK, in
    # a version that AWS moves on its own. What only the SDK needs is there with it.
    provided=MappingProxyType(
        {"boto3": ("boto3",), "botocore": ("botocore",), "s3transfer": ("s3transfer",)}
    ),
    # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    limits=MappingProxyType(
        {
            "zipped": Limit(
                "an upload to Lambda has",
                50 * 1024**2,
                "leave data out with `exclude`, or give the part that needs it an app of its own",
            ),
            "unzipped": Limit(
                "a function has",
                250 * 1024**2,
                "leave data out with `exclude`, or give the part that needs it an app of its own",
            ),
        }
    ),
    mount="/var/task",
    entry_file="crosswind_handler.py",
    handler="crosswind_handler.handler",
    entry=entry,
    environment=environment,
    read_resources=read_resources,
    pruning=MappingProxyType(
        {
            "aws-lambda-powertools": Pruning(
                ">=3.20,<4",
                lazy=frozenset({"aws_lambda_powertools.shared.lazy_import"}),
                asides=(
                    # Routes are checked against types, and described by OpenAPI, where a resolver
                    # is made with `enable_validation` or asked for the document.
                    Aside(
                        "aws_lambda_powertools.event_handler",
                        known=frozenset({"crosswind", "crosswind_events", "crosswind_aws"}),
                        modules=frozenset(
                            f"aws_lambda_powertools.event_handler.{name}"
                            for name in _ONLY_FOR_VALIDATION
                        ),
                    ),
                ),
                # The page that shows an OpenAPI document in a browser.
                data=("aws_lambda_powertools/event_handler/openapi/swagger_ui/*",),
            )
        }
    ),
    source="https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
)
"""AWS Lambda."""
