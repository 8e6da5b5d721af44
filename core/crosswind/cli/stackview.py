"""Plans, stacks and releases as people see them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from crosswind.cli.output import text
from crosswind.stacks.difference import ABSENT, Difference
from crosswind.stacks.plan import SIGNS

if TYPE_CHECKING:
    from rich.status import Status as Spinner
    from rich.table import Table

    from crosswind.cli.output import Output
    from crosswind.stacks.driver import Status, Step
    from crosswind.stacks.history import Deployed
    from crosswind.stacks.plan import Plan

_STYLES: Final = {"add": "green", "change": "cyan", "replace": "bold red", "remove": "red"}
_SHORT: Final = 12
_LONGEST: Final = 60
_DIFFERENCES: Final = 6


def changes(plan: Plan) -> Table:
    """What becomes of each resource; those that change indirectly are counted below."""
    made = _table("", "resource", "type", "group", "what")
    for one in plan.changes:
        if one.indirect:
            continue
        style = _STYLES[one.action]
        shown = [_difference(d) for d in one.differences[:_DIFFERENCES]]
        if len(one.differences) > _DIFFERENCES:
            shown.append(f"and {len(one.differences) - _DIFFERENCES} more")
        if one.replaced == "perhaps":
            shown.insert(0, "may be made anew")
        if one.action == "replace":
            shown.insert(0, "is made anew")
        made.add_row(
            text(SIGNS[one.action], style),
            text(one.resource, style),
            text(one.type.removeprefix("AWS::")),
            text(one.group),
            text("\n".join(shown)),
        )
    return made


def summary(plan: Plan) -> Iterator[tuple[str, str]]:
    """A plan in lines, each with its style."""
    before = "nothing" if plan.before is None else plan.before[:_SHORT]
    yield f"{plan.stack} in {plan.place}: {before} -> {plan.digest[:_SHORT]}", "bold"
    if plan.is_empty:
        yield "nothing is to be done", "green"
    else:
        counts = {
            "to add": plan.count("add"),
            "to change": plan.count("change"),
            "to replace": plan.count("replace"),
            "to remove": plan.count("remove"),
        }
        indirect = sum(one.indirect for one in plan.changes)
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        more = f"; {indirect} get new tags or follow" if indirect else ""
        yield f"{told or 'nothing itself'}{more} (by {plan.means})", ""
    for one in plan.waiting:
        yield f"group {one.group} waits: {one.reason}", "yellow"
    for refusal in plan.refusals:
        yield f"refused: {refusal}", "red"


def standing(found: Status) -> Table:
    """How each group fares."""
    made = _table("group", "function", "code")
    for name in ("waiting", "in hand", "delayed", "dead"):
        made.add_column(name, justify="right")
    made.add_column("alarms")
    for part in found.parts:
        made.add_row(
            text(part.group + (" (draining)" if part.draining else ""), "bold"),
            text(part.state, "" if part.state == "Active" else "yellow"),
            text("" if part.digest is None else part.digest[:_SHORT]),
            *(str(count) for count in (part.waiting, part.in_hand, part.delayed)),
            text(str(part.dead), "red" if part.dead else ""),
            text(", ".join(part.alarms), "red"),
        )
    made.title = f"{found.stack} in {found.place}: {found.app} {found.digest[:_SHORT]}"
    made.title_justify = "left"
    return made


def troubles(found: Status) -> Iterator[str]:
    """What is not as it should be."""
    yield from found.troubles


def releases(history: Sequence[Deployed]) -> Table:
    """The history, the newest first."""
    made = _table("when", "release", "outcome", "by", "why")
    for one in reversed(history):
        outcome = one.outcome + (" (rollback)" if one.rollback else "")
        made.add_row(
            text(time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(one.at))),
            text(one.digest[:_SHORT], "bold"),
            text(outcome, "green" if one.outcome == "applied" else "yellow"),
            text(one.by),
            text(one.why),
        )
    return made


class Following:
    """Shows the steps of a change: in one line on a terminal, else line by line on stderr.

    Args:
        total: resources that change; 0 where that is not known.
        what: is being done.
    """

    def __init__(self, output: Output, total: int, what: str) -> None:
        self._output = output
        self._total = total
        self._what = what
        self._done = 0
        self._spinner: Spinner | None = None

    def __enter__(self) -> Self:
        if self._output.margin.is_terminal:
            self._spinner = self._output.margin.status(text(self._what))
            self._spinner.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._spinner is not None:
            self._spinner.stop()

    def tell(self, step: Step) -> None:
        """Show a step."""
        self._done += step.done
        words = f"{step.resource} {step.status}" + (f": {step.reason}" if step.reason else "")
        if step.failed:
            self._output.notice(words)
        elif self._spinner is None and step.done and not self._output.as_json:
            self._output.margin.print(text(words), soft_wrap=True)
        if self._spinner is not None:
            of = f" of {self._total}" if self._total else ""
            self._spinner.update(text(f"{self._what}, {self._done}{of}: {words}"))


def _difference(one: Difference) -> str:
    if one.before is ABSENT:
        return f"{one.path} + {_value(one.after)}"
    if one.after is ABSENT:
        return f"{one.path} - {_value(one.before)}"
    return f"{one.path}: {_value(one.before)} -> {_value(one.after)}"


def _value(value: Any) -> str:
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return written if len(written) <= _LONGEST else f"{written[: _LONGEST - 1]}…"


def _table(*headings: str) -> Table:
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        made.add_column(heading, overflow="fold")
    return made
