"""What a function is told of its invocation."""

from __future__ import annotations

from aws_lambda_powertools.utilities.typing import LambdaContext


class Invocation(LambdaContext):
    """An invocation that has so many seconds left."""

    def __init__(self, left: float) -> None:
        self._aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
        self._left = left

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]  # static there
        return int(self._left * 1000)
