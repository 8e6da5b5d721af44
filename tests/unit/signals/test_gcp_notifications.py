"""What every Google Cloud notification becomes: the table is the specification."""

from __future__ import annotations

import pytest

from crosswind_gcp.signals import translate_each
from unit.signals.expectations import Bad, Case, Says, Silent, names, verify


def provider(statement: str, *places: str) -> list[Says]:
    time = {
        "unhealthy": "2026-03-02T17:17:55.722035Z",
        "recovered": "2026-03-02T19:05:10.100000Z",
    }[statement]
    return [Says(statement, f"gcp/{place}", time, "provider") for place in places]


def alarm(statement: str, place: str) -> list[Says]:
    time = {"unhealthy": "2026-03-02T17:01:01Z", "recovered": "2026-03-02T18:01:11Z"}[statement]
    return [Says(statement, f"gcp/{place}", time, "alarm")]


ACTIVE = provider("unhealthy", "us-central1", "us-west1")
CLOSED = provider("recovered", "us-central1", "us-west1")
HEALTH, MONITORING = "gcp.servicehealth.incident", "gcp.monitoring.incident"
NO_REGION = "names no region"
NOT_HEALTH = "not a region-health notification"

EVENTARC = {
    "ce-id": "2070443601311540",
    "ce-source": "//pubsub.googleapis.com/projects/example-project/topics/signals",
    "ce-specversion": "1.0",
    "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
    "content-type": "application/json",
}
UNWRAPPED = {
    "x-goog-pubsub-message-id": "2070443601311540",
    "x-goog-pubsub-publish-time": "2026-03-02T17:17:57.001Z",
    "x-goog-pubsub-subscription-name": "projects/example-project/subscriptions/signals",
    "logging.googleapis.com/timestamp": "2026-03-02T17:17:55.722035096Z",
}

CASES = [
    # Service Health, as the log sink writes it
    Case("service-health-active", [ACTIVE]),
    Case("service-health-closed", [CLOSED]),
    Case("service-health-json-locations", [provider("unhealthy", "europe-west4")]),
    Case("service-health-zones", [provider("unhealthy", "us-central1")]),
    Case("service-health-multi-region", [provider("unhealthy", "us", "europe-west4")]),
    Case("service-health-global", [provider("unhealthy", "global")]),
    Case("service-health-no-locations", [Silent(HEALTH, NO_REGION)]),
    Case("service-health-unknown-location", [Silent(HEALTH, "'moon-base1'")]),
    Case("service-health-merged", [Silent(HEALTH, "merged into another event")]),
    Case("service-health-auto-closed", [Silent(HEALTH, "proves no recovery")]),
    Case("service-health-false-positive", [CLOSED]),
    Case("service-health-not-impacted", [Silent(HEALTH, "not impacted")]),
    # Service Health, in every envelope
    Case("service-health-active-push", [ACTIVE]),
    Case("service-health-active-pull", [ACTIVE, CLOSED]),
    Case("service-health-active-message", [ACTIVE]),
    Case("service-health-active-eventarc", [ACTIVE]),
    Case("service-health-active-push", [ACTIVE], EVENTARC),
    Case("service-health-active", [ACTIVE], UNWRAPPED),
    # Cloud Monitoring, as its webhook sends it
    Case("incident-open", [alarm("unhealthy", "us-central1")]),
    Case("incident-closed", [alarm("recovered", "us-central1")]),
    Case("incident-closed-policy-deleted", [Silent(MONITORING, "proves no recovery")]),
    Case("incident-open-log-match", [alarm("unhealthy", "europe-west4")]),
    Case("incident-closed-log-match", [Silent(MONITORING, "a log match closes by itself")]),
    Case("incident-test", [Silent(MONITORING, "test notification")]),
    Case("incident-uptime-check", [Silent(MONITORING, NO_REGION)]),
    Case("incident-cluster", [alarm("unhealthy", "asia-northeast1")]),
    Case("incident-global-service", [alarm("unhealthy", "global")]),
    Case("incident-open-forecast", [[Says("anomaly", "gcp/us-central1", "2026-03-02T17:01:01Z")]]),
    Case("incident-aws-connector", [Silent(MONITORING, "'aws:us-east-1'")]),
    Case("incident-on-service-health", [Silent(MONITORING, "route its log entries")]),
    # Cloud Monitoring, through Pub/Sub
    Case("incident-open-push", [alarm("unhealthy", "us-central1")]),
    Case("incident-open-eventarc", [alarm("unhealthy", "us-central1")]),
    Case("incident-open-push", [alarm("unhealthy", "us-central1")], EVENTARC),
    # Not about the health of a region
    Case("budget", [Silent("gcp.budget", NOT_HEALTH)]),
    Case("budget-push", [Silent("gcp.budget", NOT_HEALTH)]),
    Case("secret-rotate-push", [Silent("gcp.key", NOT_HEALTH)]),
    Case("kms-audit-eventarc", [Silent("gcp.key", NOT_HEALTH)]),
    # A batch in which two records are bad
    Case(
        "pull-mixed",
        [
            alarm("unhealthy", "us-central1"),
            Bad(("receivedMessages[1].message.data",)),
            Silent("gcp.budget", NOT_HEALTH),
            Bad(("receivedMessages[3].message.data.jsonPayload.state",)),
        ],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fixture)
def test_a_notification_becomes_what_the_table_says(case: Case) -> None:
    verify(case, "gcp", translate_each)


def test_every_fixture_is_in_the_table() -> None:
    assert names("gcp") == {case.fixture for case in CASES}
