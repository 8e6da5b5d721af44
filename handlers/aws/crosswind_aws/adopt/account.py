"""An account: which regions it uses, and every part of them, read at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, NamedTuple

from crosswind.adopting.driver import NotAsked, Past, Scope, Tell
from crosswind.adopting.found import Found, Unread
from crosswind_aws.adopt import alarms, budgets, endpoints, health, history, records, rotations
from crosswind_aws.adopt.asking import POOL, Asker, NotRead, unread
from crosswind_aws.adopt.history import Where
from crosswind_aws.adopt.places import country
from crosswind_aws.signals.regions import region_code


class _Part(NamedTuple):
    """A part of an account: what is put where as it is read."""

    name: str
    region: str
    into: list[Any]
    read: Callable[[], Iterator[Any]]


class AwsAccount:
    """The account of some credentials.

    Args:
        asker: makes what asks, given the seconds after which no more is asked.
    """

    def __init__(self, asker: Callable[[float], Asker] | None = None) -> None:
        self._asker = asker or (lambda within: Asker(within=within))

    def read(self, scope: Scope, tell: Tell) -> Found:
        """Read what it has, in every region that it uses; see `Adopter`.

        Raises:
            NotAsked: nobody is signed in, or a region that is named is none.
        """
        asker = self._asker(scope.within)
        where, regions, lacking = self._begin(asker, scope)
        found = Found("aws", where.account, {f"aws/{one}": country(one) for one in regions})
        parts = [
            _Part("budgets", "", found.budgets,
                  lambda: budgets.read(asker, where.region, where.account)),
            _Part("weighted records", "", found.shares,
                  lambda: records.read(asker, where.region)),
        ]  # fmt: skip
        for region in regions:
            parts += self._regional(asker, region, found, lacking)
        self._all(asker, parts, lacking, tell)
        found.unread += lacking
        return found.in_order()

    def past(self, since: float, until: float, most: int, scope: Scope, tell: Tell) -> Past:
        """Read what its alarms and AWS Health said; see `PastSignals`.

        Raises:
            NotAsked: nobody is signed in, or a region that is named is none.
        """
        asker = self._asker(scope.within)
        where, regions, lacking = self._begin(asker, scope)
        past = Past()
        if until - since > history.KEPT:
            past.notes.append(
                "CloudWatch keeps the history of alarms for 30 days; of the time before, no "
                "alarm is heard"
            )
            since = max(since, until - health.KEPT)
        gone: list[str] = []
        parts = [
            _Part("past alarms", one, past.lines,
                  _changes(asker, where._replace(region=one), since, until, most, lacking, gone))
            for one in regions
        ]  # fmt: skip
        told: list[Any] = []
        if where.partition == "aws":
            parts.append(
                _Part("AWS Health", "", told,
                      lambda: health.issues(asker, where.account, regions, since, until, most))
            )  # fmt: skip
        self._all(asker, parts, lacking, tell)
        past.lines += told
        past.lines.reverse()  # each region has its newest first, and changes of one moment stay
        past.lines.sort(key=lambda line: str(line["time"]))
        if len(past.lines) > most:
            past.notes.append(f"the newest {most:,} of {len(past.lines):,} signals are taken")
            past.lines = past.lines[-most:]
        if told:
            past.notes.append(
                "AWS Health keeps when an issue began, not when it was told of: its notices come "
                "earlier here than they came"
            )
        if gone:
            past.notes.append(
                f"{len(gone):,} alarm(s) are gone; what they watched is not known any more"
            )
        past.unread += sorted(set(lacking))
        return past

    def _begin(self, asker: Asker, scope: Scope) -> tuple[Where, list[str], list[Unread]]:
        """Whose account it is, and which regions of it are read."""
        strange = [one for one in scope.regions if region_code(one) != one]
        if strange:
            raise NotAsked(f"{', '.join(strange)}: no region of AWS; write it as us-east-1")
        try:
            home = asker.region or (scope.regions[0] if scope.regions else health.HOME)
            caller = asker.ask("sts", "GetCallerIdentity", home)
        except NotRead as error:
            raise NotAsked(f"nothing of AWS can be read: {error.why}") from error
        partition = str(caller["Arn"]).split(":")[1]
        where = Where(partition, str(caller["Account"]), home)
        if scope.regions:
            return where, list(dict.fromkeys(scope.regions)), []
        try:
            answer = asker.ask("ec2", "DescribeRegions", home)
        except NotRead as error:
            why = f"{error.why}; only aws/{home} was looked at, name others with --region"
            return where, [home], [Unread("which regions there are", "", why, error.needs)]
        return where, sorted(str(one["RegionName"]) for one in answer["Regions"]), []

    @staticmethod
    def _regional(asker: Asker, region: str, found: Found, lacking: list[Unread]) -> list[_Part]:
        def lacks(part: str, error: NotRead) -> None:
            lacking.append(unread(part, region, error))

        return [
            _Part("alarms", region, found.alarms, lambda: alarms.read(asker, region)),
            _Part("SageMaker endpoints", region, found.serving,
                  lambda: endpoints.sagemaker(asker, region, lacks)),
            _Part("ECS services", region, found.serving,
                  lambda: endpoints.ecs(asker, region, lacks)),
            _Part("keys", region, found.rotations, lambda: rotations.keys(asker, region)),
            _Part("secrets", region, found.rotations, lambda: rotations.secrets(asker, region)),
        ]  # fmt: skip

    @staticmethod
    def _all(asker: Asker, parts: Sequence[_Part], lacking: list[Unread], tell: Tell) -> None:
        """Read parts at the same time; what could not be read is added to `lacking`."""
        with ThreadPoolExecutor(POOL, "adopt") as pool:
            running = {pool.submit(_read, part): part for part in parts}
            try:
                for number, done in enumerate(as_completed(running), 1):
                    part = running[done]
                    error = done.result()
                    if error is not None:
                        lacking.append(unread(part.name, part.region, error))
                    tell(f"read {number} of {len(parts)}: {part.name} {part.region}".rstrip())
            except BaseException:
                # Whoever interrupts does not wait for all that was still to be asked.
                asker.stop()
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def _read(part: _Part) -> NotRead | None:
    """Read a part; what was read before it went wrong stays."""
    try:
        for one in part.read():
            part.into.append(one)
    except NotRead as error:
        return error
    return None


def _changes(
    asker: Asker,
    where: Where,
    since: float,
    until: float,
    most: int,
    lacking: list[Unread],
    gone: list[str],
) -> Callable[[], Iterator[Any]]:
    """Reads the changes of a region, with what is known of each alarm today."""

    def read() -> Iterator[Any]:
        today: dict[str, tuple[str, dict[str, Any]]] = {}
        known = True
        try:
            for kind, described in alarms.described(asker, where.region):
                today[str(described["AlarmName"])] = kind, described
        except NotRead as error:
            known = False
            lacking.append(unread("what alarms watch", where.region, error))
        missed: set[str] = set()
        for item in history.changes(asker, where.region, since, until, most):
            alarm = today.get(str(item["AlarmName"]))
            if alarm is None and known:
                missed.add(str(item["AlarmName"]))
            yield history.line(item, where, alarm)
        gone.extend(sorted(missed))

    return read
