"""What the status of an HTTP answer is as a google.rpc.Code.

The comments of https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto.
"""

from grpc import StatusCode

_CODES = {
    400: StatusCode.INVALID_ARGUMENT,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.NOT_FOUND,
    409: StatusCode.ABORTED,
    429: StatusCode.RESOURCE_EXHAUSTED,
    499: StatusCode.CANCELLED,
    500: StatusCode.INTERNAL,
    501: StatusCode.UNIMPLEMENTED,
    503: StatusCode.UNAVAILABLE,
    504: StatusCode.DEADLINE_EXCEEDED,
}


def code_of(status: int) -> int:
    """The number of the code."""
    return int(_code(status).value[0])


def describe(status: int) -> str:
    """The message that goes with it."""
    code = _code(status)
    return f"{code.name}({code.value[0]}): HTTP status code {status}"


def _code(status: int) -> StatusCode:
    if 200 <= status < 300:
        return StatusCode.OK
    return _CODES.get(status, StatusCode.UNKNOWN)
