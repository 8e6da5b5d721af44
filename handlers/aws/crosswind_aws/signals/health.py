"""AWS Health events, as EventBridge delivers them (`"AWS Health Event"`).

The region concerned is `detail.eventRegion`; the envelope's `region` is only where this copy was
delivered, which for a backup copy is another one. Copies and pages of one communication share
`eventArn` and, up to the page number at its end, `communicationId`: AWS says to tell duplicates by
these two. Only issues say that a region is unwell; changes and account notices are planned.

Source: docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html, and
about-public-events.html there on backup copies.
"""

from __future__ import annotations

from typing import Any, Final

from crosswind.signals import Fields, Ignored, Observation, source
from crosswind.signals.observation import Statement
from crosswind_events import Event

from . import regions

_STATES: Final[dict[str, Statement]] = {"open": "unhealthy", "closed": "recovered"}
_PLANNED: Final = {
    "scheduledchange": "aws.health.scheduledChange",
    "accountnotification": "aws.health.accountNotification",
}


def read(notice: Fields) -> list[Event[Any]] | Ignored:
    """Read one AWS Health event without envelopes."""
    detail = notice.need_object("detail")
    category = detail.need_word("eventTypeCategory")
    detail.check()
    if category != "issue":
        kind = _PLANNED.get(category, "aws.health")
        return Ignored(f"is of category {detail.text('eventTypeCategory')}, not an issue", kind)

    status = detail.need_word("statusCode")
    arn = detail.need("eventArn")
    time = notice.need_instant("time")
    places = regions.find(filter(None, [detail.text("eventRegion")]))
    public = detail.word("eventScopeCode") == "public"
    account = detail.text("affectedAccount") or notice.text("account")
    communication = _communication(detail)
    service, code = detail.text("service"), detail.text("eventTypeCode")
    description = _description(detail.objects("eventDescription"))
    notice.check()
    if status not in _STATES:
        return Ignored(f"is {status}: neither open nor closed", "aws.health.issue")
    return Observation(
        kind="aws.health.issue",
        statement=_STATES[status],
        evidence="provider",
        regions=places.regions,
        unread=places.unread,
        source=source("health.amazonaws.com", "" if public else account or "", arn),
        key=(communication, status),
        id=arn,
        account=account,
        name=code,
        service=service,
        time=time,
        reason=": ".join(filter(None, [code or service, description])),
        labels={"scope": "public" if public else "account"},
    ).events()


def _communication(detail: Fields) -> str:
    """What tells this communication about the event from others, whichever page or copy it is."""
    page = detail.text("page")
    communication = detail.text("communicationId")
    if communication is None:
        updated = detail.instant("lastUpdatedTime")
        return updated.isoformat() if updated else ""
    return communication.removesuffix(f"-{page}") if page else communication


def _description(texts: list[Fields]) -> str | None:
    english = [text for text in texts if (text.word("language") or "").startswith("en")]
    return next((text.prose("latestDescription") for text in english or texts), None)
