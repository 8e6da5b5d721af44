"""`crosswind approve`: the answer of a person to what is proposed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from crosswind.cli.completing import complete_chain
from crosswind.cli.durations import spoken
from crosswind.cli.faults import NO, NOTHING, Failure
from crosswind.cli.options import performing, working
from crosswind.cli.teaching import Teaching

if TYPE_CHECKING:
    from rich.console import RenderableType

    from crosswind.cli.session import Session
    from crosswind.engine.approvals import Proposal
    from crosswind.journal.chain import Chain

OUTCOMES: Final[dict[bool, Literal["granted", "rejected"]]] = {False: "granted", True: "rejected"}
"""What is answered, by whether it is rejected."""

_SHOWN_APART = ("because", "decision")


@click.command(
    cls=Teaching,
    examples=[
        ("See what is proposed, and be asked", "crosswind approve CHAIN"),
        ("Approve it without being asked", "crosswind approve CHAIN --yes --reason 'seen it'"),
        ("Everything that waits in the chain", "crosswind approve CHAIN --all --yes"),
        ("Reject it", "crosswind approve CHAIN --reject --yes --reason 'not during the sale'"),
    ],
)
@click.argument("chain", shell_complete=complete_chain)
@click.argument("approval", required=False)
@click.option("--all", "everything", is_flag=True, help="Answer all that waits, not one of it.")
@click.option("--reject", is_flag=True, help="Reject it instead.")
@click.option("--reason", default="", help="Why; it stands in the journal.")
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")
@working
@performing
def approve(
    session: Session,
    chain: str,
    approval: str | None,
    everything: bool,
    reject: bool,
    reason: str,
    yes: bool,
    no_work: bool,
    wait: float,
) -> None:
    """Approve or reject what a chain proposes, after seeing it and what else there was.

    Where more than one proposal waits, name one as APPROVAL or answer --all of them. The answer is
    given once: where another was quicker, or it has expired, that is said with exit code 1. Who
    answered is the user of this machine as the operating system knows it; on a stack it is
    whom its cloud knows these credentials to be, and the fleet that is deployed says who may.
    """
    from crosswind.cli.publishing import standing, summary_as_json, told
    from crosswind.cli.tracing import read
    from crosswind.cli.working import Working
    from crosswind.engine.approvals import Approvals

    ruling = session.ruling
    stored = read(session, chain)
    approvals = Approvals(session.app, session.engine.runtime, session.bus)
    proposals = _chosen(approvals.waiting(stored.id), approval, stored.id, everything)
    for proposal in proposals:
        session.output.show(*_view(session, stored, proposal))
    if not yes:
        _ask(proposals, ruling.name, reject)
    who, outcome = session.operator, OUTCOMES[reject]
    working = Working(session)
    answers = [
        (one, approvals.answer(stored.id, one.approval, outcome, who, reason)) for one in proposals
    ]
    if not no_work:
        working.what_is_due(wait)
    summary = standing(session, stored.id)
    session.output.document(
        {
            "chain": stored.id,
            "answers": [
                {
                    "approval": one.approval,
                    "action": one.action,
                    "outcome": answer.outcome,
                    "by": answer.by,
                    "reason": answer.reason,
                }
                for one, answer in answers
            ],
            "stands": None if summary is None else summary_as_json(summary),
            "worked": [line.as_json() for line in working.lines],
        }
    )
    late = [answer for _, answer in answers if (answer.outcome, answer.by) != (outcome, who)]
    if late:
        by = f" by {late[0].by}" if late[0].by else ""
        raise Failure(f"it had its answer before: {late[0].outcome}{by}", NO)
    for proposal, answer in answers:
        style = "red" if reject else "green"
        session.output.say(f"{proposal.action} {answer.outcome} by {who}", style)
    if summary is not None:
        session.output.say(told(session, summary))
    session.output.say(session.hint(f"trace {stored.id[:8]}"), "cyan")


def _ask(proposals: list[Proposal], fleet: str, reject: bool) -> None:
    """Ask the person at the terminal; goes on only after a yes."""
    if not sys.stdin.isatty():
        raise Failure("nobody can be asked here; look at the proposal, then give --yes")
    what = "this" if len(proposals) == 1 else f"these {len(proposals)}"
    verb = "Reject" if reject else "Approve"
    click.confirm(f"{verb} {what} on fleet {fleet}?", abort=True, err=True)


def _chosen(
    waiting: list[Proposal], prefix: str | None, chain: str, everything: bool
) -> list[Proposal]:
    if prefix is not None and everything:
        raise Failure("give either an APPROVAL or --all, not both")
    found = [one for one in waiting if prefix is None or one.approval.startswith(prefix.lower())]
    if not waiting:
        raise Failure(f"nothing waits for approval in chain {chain}", NOTHING)
    if not found:
        raise Failure(f"no approval {prefix} waits in chain {chain}", NOTHING)
    if len(found) > 1 and not everything:
        listed = "".join(f"\n  {one.approval}  {one.action}  ({one.handler})" for one in found)
        raise Failure(
            f"{len(found)} proposals wait; name one of them as APPROVAL, or give --all:{listed}"
        )
    return found


def _view(session: Session, chain: Chain, proposal: Proposal) -> Iterator[RenderableType]:
    """What is asked, by whom, on what evidence, and what else was weighed."""
    from crosswind.cli.output import text
    from crosswind.cli.traceview import decision_table, evidence_table
    from crosswind.journal import findings
    from crosswind.journal.rendering import lines

    yield text(_summary(session, proposal), "bold")
    rest = spoken(proposal.expires - session.clock())
    yield text(f"asked by {proposal.handler}, {proposal.why}; it expires in {rest}", "dim")
    yield text(f"chain {chain.id}, approval {proposal.approval}", "dim")
    # What was weighed is shown as tables below, the reason in the first line.
    args = {
        name: value
        for name, value in proposal.args.items()
        if value not in (None, "", {}, []) and name not in _SHOWN_APART
    }
    for line in lines(args, "  "):
        yield text(line)
    for data in _told(chain, proposal):
        pieces = findings.evidence(data)
        if pieces:
            yield evidence_table(pieces)
        for decision in findings.decisions(data):
            yield decision_table(decision)


def _summary(session: Session, proposal: Proposal) -> str:
    """The action's own line, where the app still has the action as it was proposed."""
    from pydantic import ValidationError
    from pydantic_core import to_json

    handler = session.app.handler(proposal.handler)
    for kind in () if handler is None else handler.acts:
        if kind.kind == proposal.action:
            try:
                return kind.model_validate_json(to_json(proposal.args)).summary()
            except ValidationError:
                break
    return proposal.action


def _told(chain: Chain, proposal: Proposal) -> Iterator[Any]:
    """The data in which evidence and decisions may stand: the proposal's own run first."""
    yield proposal.args
    runs = sorted(chain.runs, key=lambda run: run.key != proposal.run)
    # Racing runs make the same event; the one that was worked is the one that counts.
    events = [run.event for run in runs]
    events += [emitted.event for run in runs for emitted in run.emitted()]
    shown: set[str] = set()
    for event in events:
        if event["id"] not in shown:
            shown.add(event["id"])
            yield event.get("data")
    yield [entry.result for run in runs[:1] for entry in run.record.log if entry.done]
