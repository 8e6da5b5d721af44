"""`crosswind signal`: a cloud's own notification, as neutral events."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from crosswind.cli.durations import spoken
from crosswind.cli.faults import NO, NOTHING, Failure
from crosswind.cli.options import performing, working
from crosswind.cli.rehearsing import PAST_OR_FILE
from crosswind.cli.teaching import Teaching

if TYPE_CHECKING:
    from crosswind.cli.session import Session
    from crosswind.signals import Translated
    from crosswind_events import Event


@click.command(
    cls=Teaching,
    examples=[
        ("See what a CloudWatch alarm means, and publish nothing",
         "crosswind signal alarm.json --cloud aws --dry-run"),
        ("Work an old sample as if it had come now",
         "crosswind signal alarm.json --cloud aws --now"),
        ("From standard input, for programs",
         "crosswind signal - --cloud aws --dry-run --json < alarm.json"),
        ("A month of past alarms through today's policy, only observed, and its report",
         "crosswind signal --history march.jsonl && crosswind report --shadow"),
        ("The same of what the alarms of your account said, which is kept as well",
         "crosswind signal --history 30d --keep past.jsonl"),
    ],
)  # fmt: skip
@click.argument("file", type=click.File("rb"), required=False)
@click.option(
    "--cloud",
    type=click.Choice(["aws", "gcp", "azure"]),
    help="Whose notification it is; needed unless a history is given. Of --history 30d, whose "
    "account is asked.  [default there: aws]",
)
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="NAME=VALUE",
    help="A message attribute or HTTP header beside the body; may be given repeatedly.",
)
@click.option("--now", is_flag=True, help="As if it had come now, whatever time it carries.")
@click.option("--dry-run", is_flag=True, help="Show the events, and publish nothing.")
@click.option(
    "--history",
    type=PAST_OR_FILE,
    metavar="FILE|DURATION",
    help="Past signals, one JSON object a line: rehearse them under today's policy. Or how far "
    "back your account is asked what its alarms said, such as 30d.",
)
@click.option(
    "--region",
    "regions",
    multiple=True,
    metavar="NAME",
    help="Ask the account in this region; may be given repeatedly. All unless given.",
)
@click.option(
    "--keep",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep what the account said in this file too, as --history reads it.",
)
@click.option(
    "--into",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where a rehearsal is kept.  [default: shadow.sqlite beside --data]",
)
@working
@performing
def signal(
    session: Session,
    file: BinaryIO | None,
    cloud: str | None,
    attributes: Sequence[str],
    now: bool,
    dry_run: bool,
    history: BinaryIO | float | None,
    regions: Sequence[str],
    keep: Path | None,
    into: Path | None,
    no_work: bool,
    wait: float,
) -> None:
    """Translate a native notification, publish what it means, work it, and say what came of it.

    FILE holds the notification as it arrives, in whatever envelopes (EventBridge, SNS, SQS,
    Pub/Sub, Event Grid); `-` is standard input. What cannot be read is refused with all its
    faults, and does not touch its neighbours in a batch. What was sent so long ago that it would
    not be worked is published as if it had come now, and that is said.

    With --history, past signals are rehearsed instead: in the order of their times, in virtual
    time, by today's app and fleet with every mode as observe, into a store of its own. Each line
    is {"time": ..., "cloud": ..., "payload": ...}, or a neutral event. Nothing outside is touched,
    and nothing of --data. What would have been done is told by `crosswind report --shadow`.

    With --history 30d the signals are those of your account: what its alarms said, and AWS Health
    where the account may ask it, as they would have come. It needs rights to read only.
    """
    if isinstance(history, float):
        from crosswind.cli.rehearsing import Asked, rehearse_account

        if file is not None or attributes or now or dry_run:
            raise Failure("--history takes no FILE, --attribute, --now or --dry-run")
        rehearse_account(session, Asked(cloud or "aws", history, regions, keep), into)
        return
    if regions or keep is not None:
        raise Failure("--region and --keep are for the past of an account: --history 30d")
    if history is not None:
        from crosswind.cli.rehearsing import rehearse

        if file is not None or cloud is not None or attributes or now or dry_run:
            raise Failure(
                "--history takes no FILE, --cloud, --attribute, --now or --dry-run: each of its "
                "lines says what it is"
            )
        rehearse(session, history, into)
        return
    if into is not None:
        raise Failure("--into says where a rehearsal is kept; give --history as well")
    if file is None:
        raise Failure("give the FILE of a notification, or past signals with --history")
    if cloud is None:
        raise Failure("say whose notification it is: --cloud aws, gcp or azure")
    _signal(session, file, cloud, attributes, now=now, dry_run=dry_run, no_work=no_work, wait=wait)


def _signal(
    session: Session,
    file: BinaryIO,
    cloud: str,
    attributes: Sequence[str],
    *,
    now: bool,
    dry_run: bool,
    no_work: bool,
    wait: float,
) -> None:
    from crosswind.cli import publishing
    from crosswind.signals import MAX_BYTES

    payload = file.read(MAX_BYTES + 1)
    outcomes = translate(cloud, payload, _attributes(attributes))
    events: list[Event[Any]] = []
    notes: list[dict[str, Any]] = []
    for outcome in outcomes:
        if isinstance(outcome, list):
            events += (
                outcome
                if dry_run and not now
                else [_renewed(session, event, always=now) for event in outcome]
            )
        else:
            notes.append(_note(outcome))
    for note in notes:
        if note["outcome"] == "rejected":
            session.output.notice(f"rejected: {note['reason']}")
        else:
            session.output.notice(f"ignored{_kind(note)}: {note['reason']}")
    rejected = any(note["outcome"] == "rejected" for note in notes)
    if events and not dry_run:
        publishing.publish(session, events, work=not no_work, wait=wait, other=notes)
    else:
        _show(session, events, notes)
    if rejected:
        raise Failure("not every record could be read; see above", NO)
    if not events:
        raise Failure("nothing in it says anything about the health of a region", NOTHING)


def translate(cloud: str, payload: Any, attributes: Mapping[str, str]) -> list[Translated]:
    """What each record of a notification becomes, by the adapter of the cloud.

    The core knows the adapters by name only.

    Raises:
        Failure: it is not installed.
    """
    name = f"crosswind_{cloud}.signals"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise
        raise Failure(
            f"the adapter for {cloud} is not installed; pip install 'crosswind[{cloud}]'"
        ) from error
    translated: list[Translated] = module.translate_each(payload, attributes)
    return translated


def _attributes(given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise Failure(f"--attribute {one}: write it as NAME=VALUE")
        found[name] = value
    return found


def _renewed(session: Session, event: Event[Any], *, always: bool) -> Event[Any]:
    """An event as if it had come now, where that is wanted or it is too old to be worked."""
    from datetime import UTC, datetime

    age = session.clock() - event.time.timestamp()
    if not always:
        if age <= session.engine.settings.max_age:
            return event
        session.output.notice(
            f"It was sent {spoken(age)} ago; it is published as if it had come now."
        )
    return replace(event, time=datetime.fromtimestamp(session.clock(), UTC))


def _note(outcome: Any) -> dict[str, Any]:
    from crosswind.signals import SignalRejected

    if isinstance(outcome, SignalRejected):
        faults = [{"where": fault.where, "problem": fault.problem} for fault in outcome.faults]
        return {"outcome": "rejected", "reason": str(outcome), "faults": faults}
    return {"outcome": "ignored", "reason": outcome.reason, "kind": outcome.kind}


def _kind(note: dict[str, Any]) -> str:
    return f" ({note['kind']})" if note["kind"] else ""


def _show(session: Session, events: Sequence[Event[Any]], notes: Sequence[dict[str, Any]]) -> None:
    from pydantic_core import from_json

    from crosswind.cli.output import text
    from crosswind.graph.model import short
    from crosswind.journal.rendering import lines

    documents = [from_json(session.app.codec.encode(event)) for event in events]
    session.output.document({"events": documents, "other": list(notes)})
    for document in documents:
        session.output.show(text(short(document["type"]), "bold"))
        for line in lines({k: v for k, v in document.items() if k != "specversion"}, "  "):
            session.output.say(line)
