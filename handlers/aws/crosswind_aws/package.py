"""What is true of AWS Lambda alone about an artifact: runtimes, what they have, limits, the entry.

One artifact serves every group of an app, and the variable CROSSWIND_GROUP of a function says which
is its own: the groups of an app share all modules but their handlers', so that an artifact for each
would upload the same megabytes several times, and a digest would no longer say which code a whole
chain has run. A group that needs a library that the others must not carry is an app of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from crosswind.packaging.platform import Entry, Limit, Platform, Pruning, Runtime
from crosswind_aws.deployment import Deployment

GROUP_VARIABLE: Final = "CROSSWIND_GROUP"

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
    """The module that Lambda imports; its `handler` is what Lambda calls."""
    line, app = about.app.imported("_app")
    lines = [f'"""The entry of {about.app.name} on AWS Lambda, made by `crosswind package`."""', ""]
    if about.group is not None:
        # Before anything is imported, as the function reads it while it is made.
        lines += ["import os", "", f"os.environ.setdefault({GROUP_VARIABLE!r}, {about.group!r})"]
    lines += ["from crosswind_aws.function import lambda_handler", line]
    arguments = [app]
    if about.performers is not None:
        line, performers = about.performers.imported("_performers")
        lines.append(line)
        arguments.append(f"performers={performers}")
    if about.fleet is not None:
        lines += ["from crosswind.fleet.load import load_fleet", "from pathlib import Path"]
        arguments.append(f"fleet=load_fleet(Path(__file__).with_name({about.fleet!r}))")
    lines += ["", f"handler = lambda_handler({', '.join(arguments)})"]
    return "".join(f"{line}\n" for line in lines)


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
    pruning=MappingProxyType(
        {
            "aws-lambda-powertools": Pruning(
                ">=3.20,<4",
                lazy=frozenset({"aws_lambda_powertools.shared.lazy_import"}),
                # The page that shows an OpenAPI document in a browser.
                data=("aws_lambda_powertools/event_handler/openapi/swagger_ui/*",),
            )
        }
    ),
    source="https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
)
"""AWS Lambda."""
