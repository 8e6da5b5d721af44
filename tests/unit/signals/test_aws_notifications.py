"""What every AWS notification becomes: the table is the specification."""

from __future__ import annotations

import pytest

from crosswind_aws.signals import translate_each
from unit.signals.expectations import Bad, Case, Says, Silent, names, verify

OPEN = [Says("unhealthy", "aws/us-east-1", "2026-03-02T10:07:10Z", "provider")]
CLOSED = [Says("recovered", "aws/us-east-1", "2026-03-02T12:30:02Z", "provider")]
ALARM = [Says("unhealthy", "aws/us-east-1", "2026-03-02T17:04:40.989000Z", "alarm")]
OK = [Says("recovered", "aws/us-east-1", "2026-03-02T18:15:40.020000Z", "alarm")]
CLOUDWATCH = "aws.cloudwatch.alarm"
NO_REGION = "names no region, and none is invented"
NOT_HEALTH = "is not a region-health notification"

CASES = [
    # AWS Health, bare, as EventBridge hands it to a function
    Case("health-issue-open", [OPEN]),
    Case("health-issue-closed", [CLOSED]),
    Case("health-issue-backup-copy", [OPEN]),
    Case("health-issue-page-2", [OPEN]),
    Case(
        "health-issue-account-specific",
        [[Says("unhealthy", "aws/ap-southeast-2", "2026-06-10T06:27:57Z", "provider")]],
    ),
    Case(
        "health-issue-global",
        [[Says("unhealthy", "aws/global", "2026-03-02T10:07:10Z", "provider")]],
    ),
    Case("health-issue-no-region", [Silent("aws.health.issue", NO_REGION)]),
    Case("health-scheduled-change", [Silent("aws.health.scheduledChange", "not an issue")]),
    Case("health-account-notification", [Silent("aws.health.accountNotification", "not an issue")]),
    Case("health-abuse-event", [Silent("aws.health", NOT_HEALTH)]),
    # AWS Health, in every envelope
    Case("health-issue-open-sqs-lambda", [OPEN]),
    Case("health-issue-open-sqs-messages", [OPEN]),
    Case("health-issue-open-sns-lambda", [OPEN]),
    Case("health-issue-open-sns-sqs", [OPEN]),
    Case("health-issue-open-sns-sqs-lambda", [OPEN]),
    Case("health-issue-open-pipe", [OPEN]),
    # CloudWatch alarms through EventBridge
    Case("alarm-event-alarm", [ALARM]),
    Case("alarm-event-ok", [OK]),
    Case("alarm-event-insufficient-data", [Silent(CLOUDWATCH, "INSUFFICIENT_DATA")]),
    Case("alarm-event-forwarded", [ALARM]),
    Case(
        "alarm-event-metric-math",
        [[Says("unhealthy", "aws/eu-central-1", "2026-03-02T17:20:48.554000Z", "alarm")]],
    ),
    Case(
        "alarm-event-metrics-insights",
        [[Says("unhealthy", "aws/us-east-1", "2026-03-02T13:42:04.919000Z", "alarm")]],
    ),
    Case(
        "alarm-event-composite",
        [[Says("unhealthy", "aws/us-east-1", "2026-03-02T15:57:45.394000Z", "alarm")]],
    ),
    Case(
        "alarm-event-anomaly-band",
        [[Says("anomaly", "aws/us-east-1", "2026-03-02T16:00:04.653000Z")]],
    ),
    Case("alarm-event-anomaly-band-ok", [Silent(CLOUDWATCH, "proves no recovery")]),
    Case("alarm-event-contributor", [Silent("aws.cloudwatch", NOT_HEALTH)]),
    Case("alarm-configuration-change", [Silent("aws.cloudwatch", NOT_HEALTH)]),
    Case("alarm-event-sqs-lambda", [ALARM]),
    # CloudWatch alarms through SNS, and as the action of an alarm
    Case("alarm-sns-alarm", [ALARM]),
    Case("alarm-sns-ok", [OK]),
    Case("alarm-sns-insufficient-data", [Silent(CLOUDWATCH, "INSUFFICIENT_DATA")]),
    Case(
        "alarm-sns-composite",
        [[Says("unhealthy", "aws/ap-northeast-1", "2026-03-02T15:57:45.394000Z", "alarm")]],
    ),
    Case(
        "alarm-sns-anomaly-band",
        [[Says("anomaly", "aws/ap-northeast-2", "2026-03-02T13:29:39.346000Z")]],
    ),
    Case("alarm-sns-route53", [Silent(CLOUDWATCH, "say nothing about the region they live in")]),
    Case("alarm-sns-billing", [Silent(CLOUDWATCH, "say nothing about the region they live in")]),
    Case(
        "alarm-sns-cloudfront", [[Says("unhealthy", "aws/global", "2026-03-02T12:01:00Z", "alarm")]]
    ),
    Case("alarm-sns-no-arn", [Silent(CLOUDWATCH, NO_REGION)]),
    Case("alarm-sns-lambda", [ALARM]),
    Case("alarm-sns-sqs", [ALARM]),
    Case("alarm-sns-sqs-lambda", [ALARM]),
    Case("alarm-action", [ALARM]),
    # Not about the health of a region
    Case("sns-subscription-confirmation", [Silent("aws.sns.handshake", "confirms a subscription")]),
    Case("budget-sns-sqs", [Silent("aws.budget", "not a region-health notification")]),
    Case("cost-anomaly", [Silent("aws.budget", NOT_HEALTH)]),
    Case("kms-key-rotation", [Silent("aws.key", NOT_HEALTH)]),
    Case("secret-rotation-failed", [Silent("aws.key", NOT_HEALTH)]),
    Case("s3-records", [Silent("aws:s3", "neither SQS nor SNS")]),
    # A batch in which two records are bad
    Case(
        "sqs-lambda-mixed",
        [
            OPEN,
            Bad(("Records[1].body.detail.statusCode",)),
            Bad(("Records[2].body",)),
            ALARM,
            Silent("aws.health.scheduledChange", "not an issue"),
        ],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fixture)
def test_a_notification_becomes_what_the_table_says(case: Case) -> None:
    verify(case, "aws", translate_each)


def test_every_fixture_is_in_the_table() -> None:
    assert names("aws") == {case.fixture for case in CASES}
