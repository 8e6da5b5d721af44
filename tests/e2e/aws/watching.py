"""What is said to the deployed app, and what its journal in DynamoDB tells."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import boto3

from contract.aws_stack import eventually
from crosswind.journal.chain import Chain, read_chain
from crosswind.journal.listing import list_chains
from crosswind.journal.trace import trace
from crosswind.records.head import Head
from crosswind.records.identity import HEAD, chain_id, chain_partition
from crosswind.records.ledger import Ledger
from crosswind.records.parking import Parked, Parking
from crosswind_aws.store import DynamoStore
from crosswind_events import CATALOGUE, Codec, Event, EventData, RegionUnhealthy
from e2e.aws.production.ops import Answered, Filed, app

SOURCE = "//prober.example.com"
STACK = "crosswind-ops"
UNHEALTHY = "region.unhealthy"
NATIVE = f"{STACK}-native-health"
CODEC = Codec([*CATALOGUE, Filed, Answered])
NOTICE = Path(__file__).parents[2] / "fixtures" / "signals" / "aws" / "health-issue-open.json"


class Watch:
    """Says things to the deployed app, and looks at its bus, queues, functions and table.

    Args:
        account: in which it is deployed.
        clock: of the functions, seconds since 1970.
    """

    def __init__(self, account: str, clock: Callable[[], float] = time.time) -> None:
        self.account = account
        self.clock = clock
        self.ledger = Ledger(DynamoStore(STACK), clock)
        self._events = boto3.client("events")
        self._sqs = boto3.client("sqs")

    # -- what is said ------------------------------------------------------------------------------

    def notices(self, times: int = 1) -> None:
        """What AWS Health says of us-east-1, put where the stack's own rule would put it.

        Only AWS itself may put events of `aws.health` on a bus, and the emulator keeps to that. So
        the rule is asked whether it matches, and the event is sent to the rule's targets.
        """
        notice = json.loads(NOTICE.read_text())
        now = datetime.now(UTC)
        notice["time"] = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        notice["region"] = boto3.session.Session().region_name
        notice["detail"] |= dict.fromkeys(
            ("startTime", "lastUpdatedTime"), format_datetime(now, usegmt=True)
        )
        body = json.dumps(notice)
        pattern = self._events.describe_rule(Name=NATIVE)["EventPattern"]
        assert self._events.test_event_pattern(EventPattern=pattern, Event=body)["Result"]
        for target in self._events.list_targets_by_rule(Rule=NATIVE)["Targets"]:
            for _ in range(times):
                self._sqs.send_message(QueueUrl=self._queue(target["Arn"]), MessageBody=body)

    def probes(self, times: int = 1) -> None:
        """What a prober of the team's own says of us-east-1."""
        said = RegionUnhealthy(
            region="aws/us-east-1",
            evidence="probe",
            vantage="home",
            reason="chat answered none of 3 probes",
        )
        self.put([(said, "probe-1")] * times)

    def put(self, said: Iterable[tuple[EventData, str]]) -> None:
        """Put events on the bus in one request, as anybody does who may."""
        bodies = [
            CODEC.encode(
                Event.of(
                    data,
                    id=name,
                    source=SOURCE,
                    time=datetime.fromtimestamp(self.clock(), UTC),
                    subject=getattr(data, "region", None),
                )
            ).decode()
            for data, name in said
        ]
        self.put_raw(bodies)

    def put_raw(self, bodies: Iterable[str]) -> None:
        """Put what may be no event at all on the bus."""
        answer = self._events.put_events(
            Entries=[
                {
                    "EventBusName": STACK,
                    "Source": "prober.example.com",
                    "DetailType": json.loads(body)["type"],
                    "Detail": body,
                }
                for body in bodies
            ]
        )
        assert answer["FailedEntryCount"] == 0, answer

    # -- what came of it ---------------------------------------------------------------------------

    def chains(self, kind: str) -> list[Chain]:
        """The chains that an event began in whose type this stands."""
        listed = list_chains(self.ledger, self.clock(), 3_600.0)
        found = (read_chain(self.ledger, one.chain) for one in listed if kind in one.type)
        return [chain for chain in found if chain is not None]

    def chain(self, name: str) -> Chain:
        """A chain by its id."""
        found = read_chain(self.ledger, name)
        assert found is not None, f"nothing is stored of chain {name}"
        return found

    def outcomes(self, kind: str) -> dict[str, int]:
        """How many chains of a kind have ended, by outcome; "open" stands for the others."""
        heads = (chain.head for chain in self.chains(kind) if chain.runs)
        return dict(Counter(head.outcome or "open" for head in heads if head is not None))

    def has_failed_over(self, seconds: float) -> bool:
        """Whether the failover's chain ends, in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not self.outcomes(UNHEALTHY).keys() <= {"open"}:
                return True
            # Each look is a hundred reads, from an emulator that has other things to do.
            time.sleep(0.3)
        return False

    def failover(self) -> Chain:
        """The failover's chain, once it has ended."""
        assert self.has_failed_over(60.0), self.told()
        (chain,) = [chain for chain in self.chains(UNHEALTHY) if chain.runs]
        return chain

    def outcome(self, name: str) -> str | None:
        """How the chain of an event that was put on the bus has ended; None while it has not."""
        item = self.ledger.read(chain_partition(chain_id(SOURCE, name)), HEAD)
        return None if item is None else Head.decode(item.value).outcome

    def parked(self) -> list[Parked]:
        """The messages that no chain could take."""
        return list(Parking(self.ledger, self.clock, float).list(2))

    def told(self, kind: str = UNHEALTHY) -> str:
        """Everything that the journal tells of a kind, for who has to see why a test fails."""
        lines = []
        for chain in self.chains(kind):
            lines.append(f"{chain.id} {chain.head}")
            for run in chain.runs:
                fails = [fail.error for fail in run.record.fails]
                said = [
                    (one.event["type"], one.event["data"].get("because")) for one in run.emitted()
                ]
                lines.append(f"  {run.record.handler} {run.record.state} {fails} {said}")
        return "\n".join(lines)

    def said(self, chain: Chain) -> Counter[str]:
        """How often a chain has said what, by type."""
        return Counter(one.event["type"] for run in chain.runs for one in run.emitted())

    def done(self, chain: Chain) -> Counter[str]:
        """How many actions a chain has recorded, by kind."""
        return Counter(entry.kind for run in chain.runs for _, entry in run.actions())

    def states(self, chain: Chain) -> set[str]:
        """In which states the runs of a chain are."""
        return {run.record.state for run in chain.runs}

    def traced(self, chain: Chain) -> Any:
        """What `crosswind trace` would show of a chain."""
        return trace(chain, app, self.clock()).as_json()

    def depth(self, group: str, *, dead: bool = False) -> int:
        """How many messages a queue holds, hidden and delayed ones too."""
        name = f"{STACK}-{group}-dead" if dead else f"{STACK}-{group}"
        url = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
        found = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        counts = {str(key): value for key, value in found.items()}
        return sum(
            int(counts[f"ApproximateNumberOfMessages{kind}"])
            for kind in ("", "NotVisible", "Delayed")
        )

    def is_quiet(self) -> bool:
        """Whether no queue of the app holds anything."""
        return not any(
            self.depth(group, dead=dead) for group in app.groups for dead in (False, True)
        )

    # -- what befalls it ---------------------------------------------------------------------------

    def reroute(self, url: str) -> None:
        """Have the functions reach AWS by way of a proxy, DynamoDB and all other services."""
        functions = boto3.client("lambda")
        for group in app.groups:
            name = f"{STACK}-{group}"
            variables = functions.get_function_configuration(FunctionName=name)["Environment"]
            functions.update_function_configuration(
                FunctionName=name,
                Environment={"Variables": {**variables["Variables"], "AWS_ENDPOINT_URL": url}},
            )

    @contextmanager
    def unfed(self, group: str, *, dead: bool = False) -> Iterator[None]:
        """Nothing of a group's queue is handed to its function meanwhile.

        Args:
            dead: nor of its dead letters.
        """
        functions, name = boto3.client("lambda"), f"{STACK}-{group}"
        feeds = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        held = [one["UUID"] for one in feeds if dead or one["EventSourceArn"].endswith(name)]
        for feed in held:
            functions.update_event_source_mapping(UUID=feed, Enabled=False)
        yield
        for feed in held:
            functions.update_event_source_mapping(UUID=feed, Enabled=True)

    def processes(self, group: str) -> list[int]:
        """The processes of a group's function."""
        found: list[int] = []
        mark = f":{self.account}:function:{STACK}-{group}".encode()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            try:
                if mark in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue  # it has ended, or is another's
        return found

    def kill(self, group: str) -> int:
        """Kill every process of a group's function, whatever it is at; how many there were."""
        killed = 0
        for pid in self.processes(group):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
        return killed

    def dies(self, group: str, seconds: float = 10.0) -> bool:
        """Whether a process of a group's function ends by itself, in time."""
        seen: set[int] = set()

        def one_is_gone() -> bool:
            there = set(self.processes(group))
            gone = seen - there
            seen.update(there)
            return bool(gone)

        return eventually(one_is_gone, seconds)

    def _queue(self, arn: str) -> str:
        return str(self._sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"])
