"""A month of signals as three clouds would have sent them, made from the real shapes of fixtures.

Deterministic from a seed: outages with what alarms, providers and probes say of them, early, late
or not at all; alarms that flap; and the noise that says nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

SIGNALS: Final = Path(__file__).parents[2] / "fixtures" / "signals"
BEGAN: Final = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
DAY: Final = 86_400.0

EAST: Final = "aws/us-east-1"
CENTRAL: Final = "gcp/us-central1"
EASTUS2: Final = "azure/eastus2"
REGIONS: Final = (EAST, CENTRAL, EASTUS2)

NOISE: Final = (
    ("aws", "alarm-event-insufficient-data"),
    ("aws", "health-scheduled-change"),
    ("aws", "cost-anomaly"),
    ("aws", "alarm-event-anomaly-band"),
    ("gcp", "incident-uptime-check"),
    ("gcp", "incident-test"),
    ("gcp", "budget"),
    ("azure", "metric-fired-no-region"),
    ("azure", "service-health-maintenance"),
    ("azure", "budget"),
)
"""Notifications that say nothing about the health of a region, or nothing that is weighed."""

Line = dict[str, Any]


@dataclass(frozen=True)
class Outage:
    """An outage as it really was; `acted` is when people moved the traffic."""

    region: str
    began: float
    ended: float
    acted: float

    def line(self) -> Line:
        """As a file of what really happened has it."""
        return {
            "region": self.region,
            "began": rfc3339(self.began),
            "ended": rfc3339(self.ended),
            "acted": rfc3339(self.acted),
        }


def rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@cache
def _read(cloud: str, name: str) -> str:
    return (SIGNALS / cloud / f"{name}.json").read_text()


def sample(cloud: str, name: str) -> Any:
    """A fixture, to be changed."""
    return json.loads(_read(cloud, name))


def native(cloud: str, at: float, payload: Any) -> Line:
    """A line of a history: a notification as it arrived."""
    return {"time": rfc3339(at), "cloud": cloud, "payload": payload}


def alarm(region: str, name: str, at: float, fires: bool, since: float, late: float = 2.0) -> Line:
    """An alarm of yours that fires, or is well again; `since` names the alarm's incident."""
    cloud, place = region.split("/")
    if cloud == "aws":
        event = sample("aws", "alarm-event-alarm" if fires else "alarm-event-ok")
        arn = f"arn:aws:cloudwatch:{place}:123456789012:alarm:{name}"
        event |= {"id": f"{name}-{at:.0f}", "time": rfc3339(at), "region": place}
        event["resources"] = [arn]
        event["detail"]["alarmName"] = name
        event["detail"]["state"]["timestamp"] = rfc3339(at)
        return native(cloud, at + late, event)
    if cloud == "gcp":
        event = sample("gcp", "incident-open" if fires else "incident-closed")
        incident = event["incident"]
        incident |= {"incident_id": f"0.{name}{since:.0f}", "policy_name": name}
        incident["resource"]["labels"]["zone"] = f"{place}-c"
        incident["started_at"] = int(since)
        incident["ended_at"] = None if fires else int(at)
        return native(cloud, at + late, event)
    event = sample("azure", "metric-fired" if fires else "metric-resolved")
    essentials = event["data"]["essentials"]
    essentials["alertRule"] = name
    essentials["alertId"] = f"{essentials['alertId'].rpartition('/')[0]}/{name}-{since:.0f}"
    essentials["firedDateTime"] = rfc3339(since)
    if not fires:
        essentials["resolvedDateTime"] = rfc3339(at)
    event["data"]["customProperties"] = {"region": place}
    return native(cloud, at + late, event)


def notice(region: str, at: float, begins: bool, since: float) -> Line:
    """The provider's own word: an issue is open, or it is closed."""
    cloud, place = region.split("/")
    if cloud == "aws":
        event = sample("aws", "health-issue-open" if begins else "health-issue-closed")
        detail = event["detail"]
        event |= {"id": f"health-{at:.0f}", "time": rfc3339(at), "region": place}
        detail |= {"eventRegion": place, "statusCode": "open" if begins else "closed"}
        detail["eventArn"] = f"arn:aws:health:{place}::event/EC2/ISSUE/ISSUE_{since:.0f}"
        when = datetime.fromtimestamp(at, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        detail["lastUpdatedTime"] = when
        detail["communicationId"] = f"{since:.0f}-{at:.0f}"
        return native(cloud, at + 5, event)
    if cloud == "gcp":
        event = sample("gcp", "service-health-active" if begins else "service-health-closed")
        event |= {"timestamp": rfc3339(at), "receiveTimestamp": rfc3339(at)}
        event |= {"insertId": f"{at:.0f}"}
        event["resource"]["labels"]["event_id"] = f"event-{since:.0f}"
        event["jsonPayload"]["impactedLocations"] = f"['{place}']"
        event["jsonPayload"]["updateTime"] = rfc3339(at)
        return native(cloud, at + 5, event)
    event = sample("azure", "service-health-active" if begins else "service-health-resolved")
    context, properties = event["data"]["alertContext"], event["data"]["alertContext"]["properties"]
    event["data"]["essentials"]["firedDateTime"] = rfc3339(at)
    context["eventTimestamp"] = context["submissionTimestamp"] = rfc3339(at)
    context["eventDataId"] = f"event-{at:.0f}"
    services = [{"ImpactedRegions": [{"RegionName": "East US 2"}], "ServiceName": "Compute"}]
    properties |= {"impactedServices": json.dumps(services), "trackingId": f"T-{since:.0f}"}
    properties["impactStartTime"] = rfc3339(since)
    if not begins:
        properties["impactMitigationTime"] = rfc3339(at)
    return native(cloud, at + 5, event)


def probe(region: str, vantage: str, at: float, well: bool) -> Line:
    """A word of an observer of one's own, as a neutral event."""
    kind = "recovered" if well else "unhealthy"
    return {
        "time": rfc3339(at + 1),
        "event": {
            "specversion": "1.0",
            "id": f"{region}-{vantage}-{at:.3f}",
            "source": f"//probes.example.com/{vantage}",
            "type": f"dev.crosswind.region.{kind}.v1",
            "subject": region,
            "time": rfc3339(at),
            "data": {
                "region": region,
                "evidence": "probe",
                "vantage": vantage,
                "reason": "3 of 3 requests were answered" if well else "3 of 3 requests failed",
            },
        },
    }


def noise(cloud: str, name: str, at: float, number: int) -> Line:
    """A notification that says nothing about a region, at its own time and with its own id."""
    payload = deepcopy(sample(cloud, name))
    if isinstance(payload, dict) and "id" in payload:
        payload |= {"id": f"noise-{number}", "time": rfc3339(at)}
    if name == "alarm-event-anomaly-band":
        payload["detail"]["state"]["timestamp"] = rfc3339(at)
    return native(cloud, at + 2, payload)


def outages(random: Random, days: float, count: int) -> list[Outage]:
    """Outages at random times, none of a region within a day of another of the same."""
    found: list[Outage] = []
    for number in range(count):
        began = BEGAN + days * DAY * (number + random.uniform(0.1, 0.5)) / count
        ended = began + random.uniform(20, 180) * 60
        acted = began + random.uniform(12, 45) * 60
        found.append(Outage(random.choice(REGIONS), began, ended, min(acted, ended)))
    return found


def of_outage(random: Random, one: Outage) -> Iterator[Line]:
    """What is said of an outage: by alarms, from two vantages, and by the provider, late."""
    region, began, ended = one.region, one.began, one.ended
    name = f"chat-{region.partition('/')[2]}-5xx"
    fired = began + random.uniform(40, 240)
    yield alarm(region, name, fired, True, fired)
    yield alarm(region, name, ended + random.uniform(60, 300), False, fired)
    for vantage in ("us", "eu"):
        at = began + random.uniform(5, 60)
        while at < ended:
            yield probe(region, vantage, at, well=False)
            at += 60
        for _ in range(4):
            yield probe(region, vantage, at, well=True)
            at += 60
    said = began + random.uniform(8, 40) * 60
    if said < ended:
        yield notice(region, said, True, said)
        yield notice(region, ended + random.uniform(300, 1_800), False, said)


def month(seed: int = 1, *, days: float = 30.0, count: int = 6, each_day: int = 120) -> list[Line]:
    """The lines of a history, in the order of time."""
    random = Random(seed)
    lines = [line for one in outages(random, days, count) for line in of_outage(random, one)]
    for number in range(int(days * each_day)):
        at = BEGAN + random.uniform(0, days * DAY)
        match random.choices(("noise", "unmapped", "flap"), (5, 3, 2))[0]:
            case "noise":
                lines.append(noise(*random.choice(NOISE), at, number))
            case "unmapped":
                region = random.choice(REGIONS)
                lines.append(alarm(region, f"disk-{number % 7}", at, True, at))
                lines.append(alarm(region, f"disk-{number % 7}", at + 600, False, at))
            case "flap":
                region = random.choice(REGIONS)
                name = f"chat-{region.partition('/')[2]}-latency"
                lines.append(alarm(region, name, at, True, at))
                lines.append(alarm(region, name, at + random.uniform(30, 240), False, at))
    return sorted(lines, key=lambda line: str(line["time"]))


def truth(seed: int = 1, *, days: float = 30.0, count: int = 6) -> list[Outage]:
    """The outages of the month of a seed."""
    return outages(Random(seed), days, count)


def written(lines: list[Line]) -> bytes:
    """Lines as a file has them."""
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)
