"""The function's URL: a door onto the bus, under Powertools' resolver.

Put AWS_IAM on the URL: it is a way onto the bus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import LambdaFunctionUrlResolver, Response

from crosswind.buses import door

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from crosswind.buses.intake import Intake
    from crosswind_aws.telemetry import Telemetry


class Door:
    """Answers requests to the function's URL.

    Args:
        intake: publishes and translates.
        telemetry: is told.
    """

    def __init__(self, intake: Intake, telemetry: Telemetry) -> None:
        self._door = door.Door(intake)
        self._telemetry = telemetry
        self._resolver = LambdaFunctionUrlResolver()
        self._resolver.post(".*")(self._answer)

    def answer(self, request: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer a request."""
        return self._resolver.resolve(request, context)

    def _answer(self) -> Response[str]:
        request = self._resolver.current_event
        answer = self._door.answer(request.headers, _body(request))
        self._telemetry.count("Accepted", answer.accepted)
        self._telemetry.count("Refused", answer.refused)
        return Response(
            status_code=answer.status,
            content_type="application/json",
            body=answer.body,
            headers={**answer.headers},
        )


def _body(request: Any) -> bytes:
    text: str = request.body or ""
    if request.is_base64_encoded:
        import base64

        return base64.b64decode(text)
    # Half a surrogate pair, which a body may hold after Lambda's own parsing, is no text.
    return text.encode("utf-8", "replace")
