"""Where data is: in a file of this machine, or in a deployed stack.

A path is a file. What begins with the name of a cloud and a colon is a stack:

    .crosswind/crosswind.sqlite       the embedded default
    aws:crosswind-ops                 a stack, where the cloud's own tools are configured to look
    aws:crosswind-ops@eu-west-1       a stack in a region

A file of such a name is meant by `./aws:crosswind-ops`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from crosswind.cli.adapters import adapter
from crosswind.cli.faults import Failure

if TYPE_CHECKING:
    from crosswind.stacks.desk import Desk

DATA: Final = Path(".crosswind/crosswind.sqlite")

CLOUDS: Final = ("aws",)
"""Whose adapters let people work with a deployed app so far."""

_STACK: Final = re.compile(r"(?P<cloud>[A-Za-z][A-Za-z0-9+.-]*):(?P<rest>.*)", re.DOTALL)
_NAMED: Final = re.compile(r"(?P<stack>[A-Za-z][A-Za-z0-9-]{0,127})(@(?P<region>[a-z0-9-]{1,64}))?")


class DeployedData(NamedTuple):
    """The data of a deployed stack; `region` None is where the cloud's own tools look."""

    cloud: str
    stack: str
    region: str | None = None

    def __str__(self) -> str:
        """As it is typed."""
        region = "" if self.region is None else f"@{self.region}"
        return f"{self.cloud}:{self.stack}{region}"

    def open(self) -> Desk:
        """The stack, as people work with it.

        Raises:
            Failure: the adapter is not installed.
            StackError: there is no such stack, or these credentials cannot reach it.
        """
        with adapter(self.cloud, "stack") as found:
            desk: Desk = found.open_desk(self.stack, self.region)
            return desk


Data = Path | DeployedData


def read_data(text: str) -> Data:
    """What is meant by the text of `--data`.

    Raises:
        ValueError: it means nothing; says what to write.
    """
    found = _STACK.fullmatch(text)
    if found is None:
        if not text or "\0" in text:
            raise ValueError("name a file, or a stack such as aws:crosswind-ops")
        return Path(text)
    cloud = found["cloud"]
    if cloud not in CLOUDS:
        known = " or ".join(f"{one}:STACK" for one in CLOUDS)
        raise ValueError(
            f"{text!r:.120} names a stack on {cloud}, and no deployed app can be reached there; "
            f"name one as {known}, or a file of this name as ./{text}"
        )
    named = _NAMED.fullmatch(found["rest"])
    if named is None:
        raise ValueError(
            f"{text!r:.120} does not name a stack; write it as {cloud}:STACK or "
            f"{cloud}:STACK@REGION, such as {cloud}:crosswind-ops@eu-west-1"
        )
    return DeployedData(cloud, named["stack"], named["region"])


class DataType(click.ParamType["Path | DeployedData"]):
    """The value of `--data`."""

    name = "data"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Data:
        """From text, or what it was converted to before."""
        if isinstance(value, Path | DeployedData):
            return value
        try:
            found = read_data(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if isinstance(found, Path) and found.is_dir():
            self.fail(f"{found} is a folder; name a file in it", param, ctx)
        return found

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """Files; the stacks of an account are not asked for while somebody types."""
        return [click.shell_completion.CompletionItem(incomplete, type="file")]


def on_this_machine(data: Data, what: str, instead: str) -> Path:
    """The file, for what works only on one.

    Args:
        what: is wanted, such as `crosswind run`.
        instead: what to do on a stack.

    Raises:
        Failure: it is the data of a stack.
    """
    if isinstance(data, DeployedData):
        raise Failure(f"{what} works on a file of this machine, and not on {data}; {instead}")
    return data
