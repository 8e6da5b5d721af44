"""From what a person types to a region that was left, and back to an empty account.

`crosswind package`, `crosswind stack apply` and `remove` are typed; the functions run from the
artifact, with the performers of `aws.yaml`; records, services, topics and metrics are those of an
account. What the emulator cannot do, and what stands for it:

- Nobody but AWS may put events of `aws.*` on a bus. What AWS Health says is sent to the targets of
  the stack's rule, once that was asked whether it matches.
- Schedules are deployed, and here are due each hour only: evidence comes from outside, as from a
  team's own prober. What is found by schedule is in `test_schedules`.
- ECS starts no task and places none: a service has the tasks that are wanted of it at once.
- A queue hides the messages of a killed function for minutes. The emulator's clock is moved past
  them; the lease of what was killed ends by the functions' clock, which is the real one.
- Rights are not enforced, and reserved concurrency is not.
"""

from __future__ import annotations

from typing import Final

from contract.aws_stack import eventually
from contract.proxy import Lose
from crosswind.journal.chain import Chain
from crosswind.records.identity import chain_id
from crosswind_aws.deployment import DELIVERIES
from e2e.aws.conftest import HIDDEN, Production
from e2e.aws.estate import EAST, EUROPE, left
from e2e.aws.production.ops import Filed
from e2e.aws.watching import SOURCE, UNHEALTHY
from integration.aws.performers.wire import Wire, json_error

CHANGES: Final = {"ChangeResourceRecordSets": 2, "UpdateService": 1}
"""What leaving the region takes: two steps of traffic, and one order of replicas."""

BUSY: Final = json_error("com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException")


def test_an_app_is_packaged_deployed_leaves_a_region_and_is_taken_away(
    production: Production,
) -> None:
    watch = production.watch
    watch.notices()
    watch.probes()

    chain = watch.failover()

    is_left_once(chain, production)
    traced = watch.traced(chain)
    assert "2 of 2 needed" in traced["believed"]["because"]
    assert {piece["kind"] for piece in traced["believed"]["pieces"]} == {"provider", "probe"}
    assert watch.outcomes(UNHEALTHY) == {"completed": 1}

    # Timers that are void by now are on their way still; the last of them is due in five minutes.
    refused = production.terminal.types("stack", "remove", "aws", "--yes", code=1)
    assert refused is None
    production.site.let_pass(300)
    assert eventually(watch.is_quiet)
    assert production.terminal.types("stack", "status", "aws")["troubles"] == []
    production.terminal.types("stack", "remove", "aws", "--yes")
    assert left() == {}


def test_what_is_repeated_killed_throttled_and_lost_on_the_way_changes_nothing_twice(
    production: Production, wire: Wire
) -> None:
    watch = production.watch
    watch.reroute(wire.url)
    for operation in ("PutItem", "TransactWriteItems", "GetItem", "Query"):
        wire.strike(operation, BUSY, times=4)
        wire.strike(operation, Lose(), times=1)
    for change in CHANGES:
        wire.strike(change, Lose())
    killed: list[int] = []
    # The first step is carried out, and whoever asked for it is dead before it is answered.
    wire.before("ChangeResourceRecordSets", lambda: killed.append(watch.kill("failover")))

    watch.notices(times=3)
    watch.probes(times=3)
    for _ in range(12):
        if watch.has_failed_over(3.0):
            break
        production.site.let_pass(HIDDEN)
    chain = watch.failover()

    is_left_once(chain, production)
    assert killed[0] > 0
    assert {change: wire.count(change) for change in CHANGES} == CHANGES
    assert watch.outcomes(UNHEALTHY) == {"completed": 1}
    production.site.let_pass(300)
    assert eventually(watch.is_quiet)


def test_a_form_that_kills_its_function_and_one_that_is_none_are_dead_letters_and_the_rest_answered(
    production: Production,
) -> None:
    watch = production.watch
    poison = chain_id(SOURCE, "poison")
    good = [(Filed(), f"good-{n}") for n in range(4)]
    with watch.unfed("desk"):
        watch.put([good[0], good[1], (Filed(crashes=True), "poison"), good[2], good[3]])
        watch.put_raw(['{"specversion": "1.0", "type": "com.example.filed.v1", "id": "no form"}'])
        # Fewer than a batch has, so that all of them come to the function together.
        assert eventually(lambda: watch.depth("desk") == 6)

    assert watch.dies("desk", 30.0)
    for _ in range(DELIVERIES):
        if watch.depth("desk", dead=True) or watch.outcome("poison") is not None:
            break
        production.site.let_pass(HIDDEN)
        watch.dies("desk")

    assert eventually(lambda: watch.outcome("poison") is not None), watch.depth("desk")
    assert watch.outcomes("filed") == {"completed": 4, "failed": 1}
    (failed,) = [run for run in watch.chain(poison).runs if run.record.state == "failed"]
    assert "the bus gave it up" in failed.record.why
    # People are told: the dead letter becomes an incident, by another function.
    told = {"dev.crosswind.deadletter.v1": 1, "dev.crosswind.incident.opened.v1": 1}
    assert eventually(lambda: watch.said(watch.chain(poison)) == told), watch.chain(poison)
    (parked,) = [one for one in watch.parked() if one.group == "desk"]
    assert "no form" in parked.body
    assert "data: is missing" in parked.reason
    assert eventually(watch.is_quiet)


def is_left_once(chain: Chain, production: Production) -> None:
    """The region has no traffic any more, and each change was made one time."""
    watch, estate = production.watch, production.estate
    assert chain.head is not None
    assert chain.head.outcome == "completed", watch.told()
    assert estate.weights() == {"east": 0, "europe": 255}
    assert estate.tasks() == {EAST: 2, EUROPE: 4}
    said = watch.said(chain)
    assert said["dev.crosswind.failover.completed.v1"] == 1
    assert said["dev.crosswind.failover.planned.v1"] == 1
    assert watch.states(chain) <= {"committed", "dropped"}, watch.told()
    done = watch.done(chain)
    assert (done["act:traffic.set-weights"], done["act:endpoint.scale"]) == (2, 1)
