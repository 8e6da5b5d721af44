"""Real traffic is read from CloudWatch, and probes are HTTP requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from contract.performers import TIMEOUT
from contract.performers_estate import EAST, EUROPE
from contract.proxy import Lose
from crosswind.operations.telemetry import MeasureOutage, ProbeEndpoint, ReadTelemetry
from crosswind_aws.performers.failures import Denied, NotFound
from crosswind_aws.performers.resources import Resources
from crosswind_aws.performers.telemetry import TelemetryPerformer
from integration.aws.performers.conftest import Direct
from integration.aws.performers.wire import Wire, json_error

NOW = time.time() // 60 * 60
"""A whole minute; emulators forget what is old."""

BALANCER = "app/chat/50dc6c495c0c9188"
ALB = "AWS/ApplicationELB"
READ = "GetMetricData"

Minute = tuple[float, float, float]
"""Requests, errors, and milliseconds that each took."""


class Metrics:
    """Puts metrics of load balancers where CloudWatch has them."""

    def __init__(self, direct: Direct) -> None:
        self._direct = direct

    def put(self, region: str, ago: int, minute: Minute) -> None:
        """What happened in the minute that began so many minutes ago."""
        requests, errors, took = minute
        values = {
            "RequestCount": requests,
            "HTTPCode_Target_5XX_Count": errors,
            "TargetResponseTime": took / 1_000,
        }
        self._direct("cloudwatch", region_name=region.removeprefix("aws/")).put_metric_data(
            Namespace=ALB,
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": [{"Name": "LoadBalancer", "Value": BALANCER}],
                    "Timestamp": datetime.fromtimestamp(NOW - ago * 60, UTC),
                    "Value": value,
                }
                for name, value in values.items()
            ],
        )


@pytest.fixture
def metrics(direct: Direct) -> Metrics:
    return Metrics(direct)


@pytest.fixture
def performer(wire: Wire) -> TelemetryPerformer:
    return TelemetryPerformer(resources(), lambda: NOW + 20.0)


def resources(**probes: str) -> Resources:
    source = {"service": "alb", "load_balancer": BALANCER}
    regions: dict[str, Any] = {region: {"metrics": source} for region in (EAST, EUROPE)}
    for name, url in probes.items():
        regions[{"east": EAST, "europe": EUROPE}[name]]["probe"] = url
    return Resources.read({"workloads": {"chat": {"regions": regions}}})


class TestTraffic:
    def test_requests_errors_and_latency_are_told_by_region(
        self, performer: TelemetryPerformer, metrics: Metrics
    ) -> None:
        metrics.put(EAST, 2, (1_000, 40, 120))
        metrics.put(EUROPE, 2, (3_000, 0, 30))

        told = performer.answer(ReadTelemetry(workload="chat", seconds=60), TIMEOUT)

        east, europe = told.regions[EAST], told.regions[EUROPE]
        assert (east.requests, east.errors) == (1_000, 40)
        assert (europe.requests, europe.errors) == (3_000, 0)
        assert east.p95 == pytest.approx(120)
        assert europe.p50 == pytest.approx(30)
        assert told.seconds == 60

    def test_what_has_not_settled_is_not_looked_at_and_the_answer_says_so(
        self, performer: TelemetryPerformer, metrics: Metrics
    ) -> None:
        metrics.put(EAST, 1, (5, 5, 1))

        told = performer.answer(ReadTelemetry(workload="chat", seconds=60), TIMEOUT)

        assert told.regions == {}
        assert told.until == NOW - 60

    def test_a_window_is_told_in_whole_minutes(
        self, performer: TelemetryPerformer, metrics: Metrics
    ) -> None:
        for ago in (2, 3):
            metrics.put(EAST, ago, (100, 1, 10))

        told = performer.answer(ReadTelemetry(workload="chat", seconds=61), TIMEOUT)

        assert told.seconds == 120
        assert told.regions[EAST].requests == 200

    def test_further_windows_are_told_in_the_same_answer(
        self, performer: TelemetryPerformer, metrics: Metrics
    ) -> None:
        for ago in range(2, 62):
            metrics.put(EAST, ago, (10, 1 if ago > 31 else 0, 10))
        asked = ReadTelemetry(workload="chat", seconds=60, windows=(1_800.0, 3_600.0))

        told = performer.answer(asked, TIMEOUT)

        found = {one.seconds: one.regions[EAST] for one in told.windows}
        assert (found[1_800.0].requests, found[1_800.0].errors) == (300, 0)
        assert (found[3_600.0].requests, found[3_600.0].errors) == (600, 30)

    def test_a_region_of_which_cloudwatch_does_not_answer_is_left_out(
        self, performer: TelemetryPerformer, metrics: Metrics, wire: Wire
    ) -> None:
        metrics.put(EUROPE, 2, (3_000, 0, 30))
        wire.strike(READ, Lose(), times=2)

        told = performer.answer(ReadTelemetry(workload="chat", seconds=60), TIMEOUT)

        assert list(told.regions) == [EUROPE]

    def test_a_role_that_may_not_read_is_an_error(
        self, performer: TelemetryPerformer, wire: Wire
    ) -> None:
        wire.strike(READ, json_error("AccessDeniedException", status=403))

        with pytest.raises(Denied):
            performer.answer(ReadTelemetry(workload="chat", seconds=60), TIMEOUT)

    def test_a_workload_that_nobody_declared_is_not_found(
        self, performer: TelemetryPerformer
    ) -> None:
        with pytest.raises(NotFound, match="transcripts"):
            performer.answer(ReadTelemetry(workload="transcripts"), TIMEOUT)


class TestOutages:
    def test_an_outage_is_measured_from_its_first_bad_minute_to_the_end_of_its_last(
        self, performer: TelemetryPerformer, metrics: Metrics
    ) -> None:
        for ago in range(2, 12):
            metrics.put(EAST, ago, (100, 50 if ago in (6, 7, 8) else 0, 10))
            metrics.put(EUROPE, ago, (100, 0, 10))

        told = performer.answer(MeasureOutage(workload="chat", since=NOW - 900), TIMEOUT)

        assert (told.began, told.ended) == (NOW - 8 * 60, NOW - 5 * 60)
        assert (told.failed, told.counted) == (150, 2_000)

    def test_an_outage_that_goes_on_has_no_end(
        self, performer: TelemetryPerformer, metrics: Metrics
    ) -> None:
        for ago in range(2, 12):
            metrics.put(EAST, ago, (100, 50 if ago < 5 else 0, 10))

        told = performer.answer(MeasureOutage(workload="chat", since=NOW - 900), TIMEOUT)

        assert told.began == NOW - 4 * 60
        assert told.ended is None

    def test_errors_below_the_threshold_are_no_outage(
        self, performer: TelemetryPerformer, metrics: Metrics
    ) -> None:
        for ago in range(2, 12):
            metrics.put(EAST, ago, (1_000, 2, 10))

        told = performer.answer(MeasureOutage(workload="chat", since=NOW - 900), TIMEOUT)

        assert (told.began, told.ended, told.failed) == (None, None, 0)
        assert told.counted == 10_000

    def test_where_nobody_counted_nothing_is_known_of_an_outage(
        self, performer: TelemetryPerformer, metrics: Metrics
    ) -> None:
        told = performer.answer(MeasureOutage(workload="chat", since=NOW - 900), TIMEOUT)

        assert (told.began, told.counted) == (None, 0)


class _Endpoint(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/ill" else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(2)
    server.server_close()


class TestProbes:
    def probe(self, url: str) -> Any:
        performer = TelemetryPerformer(resources(east=url))
        return performer.answer(ProbeEndpoint(workload="chat", region=EAST), TIMEOUT)

    def test_an_endpoint_that_answers_is_well(self, endpoint: str) -> None:
        seen = self.probe(f"{endpoint}/health?deep=1")

        assert (seen.sent, seen.failed, seen.error) == (3, 0, "")
        assert seen.healthy
        assert 0 < seen.fastest <= seen.latency

    def test_an_error_is_an_answer_that_is_not_well(self, endpoint: str) -> None:
        seen = self.probe(f"{endpoint}/ill")

        assert (seen.sent, seen.failed, seen.error) == (3, 3, "status 503")
        assert seen.latency is None

    def test_an_endpoint_that_does_not_answer_is_not_well(self) -> None:
        seen = self.probe("http://127.0.0.1:9/health")

        assert not seen.healthy
        assert "ConnectionRefused" in seen.error

    def test_an_address_that_nobody_declared_is_not_found(self) -> None:
        performer = TelemetryPerformer(resources())

        with pytest.raises(NotFound, match=EUROPE):
            performer.answer(ProbeEndpoint(workload="chat", region=EUROPE), TIMEOUT)
