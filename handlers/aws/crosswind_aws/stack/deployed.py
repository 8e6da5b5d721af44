"""The driver: a stack of one app in one account and region."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from crosswind.stacks.driver import Busy, Format, Request, StackError, Status, Tell
from crosswind.stacks.fate import shared_fate
from crosswind.stacks.history import Deployed, NoSuchRelease, choose
from crosswind.stacks.plan import Plan
from crosswind_aws.performers.resources import Resources
from crosswind_aws.stack import execution, inspection, planning, removal
from crosswind_aws.stack.artifacts import Shelf
from crosswind_aws.stack.attempts import Attempts
from crosswind_aws.stack.aws import Aws
from crosswind_aws.stack.draining import drain
from crosswind_aws.stack.planning import Draft
from crosswind_aws.stack.standing import Standing, look, outstanding, settled
from crosswind_aws.stack.template import Template, about, template, written


class AwsStack:
    """A stack of CloudFormation; see `Driver`.

    Args:
        stack: its name.
        aws: the account and region.
        clock: seconds since the epoch.
    """

    def __init__(self, stack: str, aws: Aws, clock: Callable[[], float] = time.time) -> None:
        self.stack = stack
        self._aws = aws
        self._clock = clock
        self._shelf = Shelf(aws, stack)
        self._attempts = Attempts(aws, self._shelf, stack)
        self._draft: Draft | None = None

    def plan(self, request: Request) -> Plan:
        """See `Driver.plan`."""
        release = request.release
        wanted = template(self.stack, request)
        standing = self._settled()
        fate = shared_fate(release.kinds, release.fleet, self._aws.place)
        declared = Resources() if request.resources is None else Resources.read(request.resources)
        notes = [*planning.notes(standing, wanted, release.kinds, declared, request.grants)]
        if fate is not None and request.share_fate:
            notes.append(f"its fate is shared as asked: {fate.partition(', and its')[0]}")
        if release.fleet is None:
            notes.append("no fleet is in the artifact, so that every action is only observed")
        draft = self._drafted(wanted, standing, look_only=request.look_only)
        refusals = [*draft.plan.refusals]
        if fate is not None and not request.share_fate:
            refusals.insert(0, fate)
        return self._kept(draft, release.path, notes, refusals, rollback=False)

    def plan_return(self, digest: str | None, *, look_only: bool = False) -> Plan:
        """See `Driver.plan_return`."""
        standing = self._settled()
        current = None if standing is None else str(standing.about["digest"])
        chosen = choose(self._history(standing), current, digest)
        if not self._shelf.has_artifact(chosen.digest):
            raise NoSuchRelease(
                f"the artifact of release {chosen.digest[:12]} is no longer kept; package its "
                "sources again, and apply that"
            )
        wanted = self._shelf.template(chosen.template)
        draft = self._drafted(wanted, standing, look_only=look_only)
        return self._kept(draft, None, [], list(draft.plan.refusals), rollback=True)

    def apply(self, plan: Plan, tell: Tell) -> Deployed:
        """See `Driver.apply`."""
        draft = self._draft
        if draft is None or draft.plan is not plan:
            raise StackError("this plan is not the last that was made; plan again")
        if plan.refusals:
            raise StackError("; ".join(plan.refusals))
        return execution.carry_out(self._aws, self._shelf, draft, tell, self._clock())

    def status(self) -> Status:
        """See `Driver.status`."""
        return inspection.status(self._aws, self._attempts, self.stack, self._clock())

    def history(self) -> Sequence[Deployed]:
        """See `Driver.history`."""
        return self._history(look(self._aws, self.stack))

    def remove(self, tell: Tell) -> None:
        """See `Driver.remove`."""
        removal.remove(self._aws, self._shelf, self.stack, tell)

    def export(self, request: Request, form: Format) -> str:
        """See `Driver.export`."""
        return export(self.stack, request, form)

    def _history(self, standing: Standing | None) -> list[Deployed]:
        """With what went through without anybody to write it down."""
        passed = self._attempts.passed(standing, self._clock())
        return sorted([*self._shelf.history(), *passed], key=lambda one: one.at)

    def _settled(self) -> Standing | None:
        """The stack, where it can be changed; who changes it is told of where it cannot."""
        try:
            return settled(self._aws, self.stack)
        except Busy as error:
            found = look(self._aws, self.stack)
            told = self._attempts.told(found, self._clock())
            raise Busy("; ".join((str(error), *told))) from error

    def _drafted(self, wanted: Template, standing: Standing | None, *, look_only: bool) -> Draft:
        said = about(wanted)
        drained = drain(
            self.stack,
            None if standing is None else standing.template,
            wanted,
            partial(outstanding, self._aws, self.stack),
            0.0 if standing is None else self._clock() - standing.changed,
        )
        changes, means, notes = planning.changes(
            self._aws, self._shelf, self.stack, standing, drained, look_only=look_only
        )
        plan = Plan(
            stack=self.stack,
            place=self._aws.place,
            digest=said["digest"],
            before=None if standing is None else str(standing.about["digest"]),
            means=means,
            changes=changes,
            waiting=drained.waiting,
            refusals=tuple(planning.refusals(changes, standing, said["app"])),
            notes=(*self._attempts.told(standing, self._clock()), *notes),
        )
        return Draft(plan, said["app"], written(wanted), written(drained.template), standing, None)

    def _kept(
        self,
        draft: Draft,
        artifact: Path | None,
        notes: list[str],
        refusals: list[str],
        *,
        rollback: bool,
    ) -> Plan:
        plan = replace(draft.plan, notes=(*draft.plan.notes, *notes), refusals=tuple(refusals))
        self._draft = replace(draft, plan=plan, artifact=artifact, rollback=rollback)
        return plan


def export(stack: str, request: Request, form: Format) -> str:
    """The whole as a document for another tool."""
    made = template(stack, request)
    if form == "terraform":
        from crosswind_aws.stack.terraform import translate

        made = translate(made)
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"
