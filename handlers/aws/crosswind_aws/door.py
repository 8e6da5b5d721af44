"""The function's URL: events and notifications over HTTP, taken in and published.

Binary, structured and batched CloudEvents (CloudEvents 1.0.2, HTTP protocol binding, section 3),
and native notifications that come by webhook. What is accepted is on the bus when it is answered;
whoever wants it receives it from there. Put AWS_IAM on the URL: it is a way onto the bus.

    202  all of it was published
    400  some of it cannot be read; it is named with every fault, and all else was published
    503  the bus did not take some of it; send those again
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.event_handler import LambdaFunctionUrlResolver, Response
from pydantic_core import to_json

from crosswind.errors import NotAccepted
from crosswind.signals import Ignored, SignalRejected
from crosswind_events import Event, InvalidEvent

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from crosswind_aws.intake import Intake
    from crosswind_aws.telemetry import Telemetry

_BATCH: Final = "application/cloudevents-batch+json"
_STRUCTURED: Final = "application/cloudevents+json"
_BINARY: Final = "ce-specversion"

Read = Event[Any] | InvalidEvent | SignalRejected | Ignored


class Door:
    """Answers requests to the function's URL.

    Args:
        intake: publishes and translates.
        telemetry: is told.
    """

    def __init__(self, intake: Intake, telemetry: Telemetry) -> None:
        self._intake = intake
        self._telemetry = telemetry
        self._resolver = LambdaFunctionUrlResolver()
        self._resolver.post(".*")(self._answer)

    def answer(self, request: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer a request."""
        return self._resolver.resolve(request, context)

    def _answer(self) -> Response[str]:
        request = self._resolver.current_event
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            read = self._read(headers, _body(request))
        except InvalidEvent as invalid:
            read = [invalid]
        events = [one for one in read if isinstance(one, Event)]
        late: tuple[str, ...] = ()
        reason = ""
        try:
            self._intake.publish(events)
        except NotAccepted as error:
            late, reason = tuple(message.id for message in error.messages), error.reason
        refused = [
            {"record": n, "faults": [{"where": f.where, "problem": f.problem} for f in one.faults]}
            for n, one in enumerate(read)
            if isinstance(one, InvalidEvent | SignalRejected)
        ]
        self._telemetry.count("Accepted", len(events) - len(late))
        self._telemetry.count("Refused", len(refused))
        told: dict[str, Any] = {"accepted": [e.id for e in events if e.id not in late]}
        if refused:
            told["refused"] = refused
        if ignored := [one.reason for one in read if isinstance(one, Ignored)]:
            told["ignored"] = ignored
        if late:
            told |= {"again": list(late), "reason": reason}
            return _response(503, told, {"Retry-After": "1"})
        return _response(400 if refused else 202, told)

    def _read(self, headers: Mapping[str, str], body: bytes) -> list[Read]:
        codec = self._intake.engine.app.codec
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == _BATCH:
            return [*codec.decode_batch(body)]
        if kind == _STRUCTURED:
            return [codec.decode(body)]
        if _BINARY in headers:
            return [codec.decode_binary(headers, body)]
        read: list[Read] = []
        for translated in self._intake.translate(body.decode("utf-8", "replace")):
            read += translated if isinstance(translated, list) else [translated]
        return read


def _body(request: Any) -> bytes:
    text: str = request.body or ""
    if request.is_base64_encoded:
        import base64

        return base64.b64decode(text)
    # Half a surrogate pair, which a body may hold after Lambda's own parsing, is no text.
    return text.encode("utf-8", "replace")


def _response(
    status: int, told: Mapping[str, Any], headers: dict[str, str | list[str]] | None = None
) -> Response[str]:
    return Response(
        status_code=status,
        content_type="application/json",
        body=to_json(told).decode(),
        headers=headers or {},
    )
