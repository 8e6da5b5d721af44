"""The messages between a Functions host and the language worker, as the worker library makes them.

The library is handed its message classes and asks of them what protobuf's would do: keywords,
defaults for what is not given, and which one of several fields is set. Runs in the interpreter of
the worker and needs nothing but the standard library.
Source: Azure/azure-functions-language-worker-protobuf, `src/proto/FunctionRpc.proto`.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any, ClassVar


def nothing() -> None:
    """The default of a message that is not set."""


class Message:
    """A message: the fields it was given, and the defaults of its others."""

    fields: ClassVar[dict[str, Callable[[], Any]]] = {}

    def __init__(self, **given: Any) -> None:
        unknown = given.keys() - self.fields.keys()
        if unknown:
            raise ValueError(f"{type(self).__name__} has no field {', '.join(sorted(unknown))}")
        for name, default in self.fields.items():
            value = given.get(name)
            setattr(self, name, default() if value is None else value)


class RpcException(Message):
    """An exception, as text."""

    fields: ClassVar = {"source": str, "stack_trace": str, "message": str}


class StatusResult(Message):
    """How something went."""

    Failure, Success, Cancelled = range(3)
    fields: ClassVar = {"status": int, "result": str, "exception": RpcException, "logs": list}


class WorkerMetadata(Message):
    """What the worker is."""

    fields: ClassVar = {
        "runtime_name": str,
        "runtime_version": str,
        "worker_version": str,
        "worker_bitness": str,
        "custom_properties": dict,
    }


class WorkerInitRequest(Message):
    """What the host says first."""

    fields: ClassVar = {
        "host_version": str,
        "capabilities": dict,
        "log_categories": dict,
        "worker_directory": str,
        "function_app_directory": str,
    }


class WorkerInitResponse(Message):
    """The answer to it; by now the functions are indexed."""

    fields: ClassVar = {
        "worker_version": str,
        "capabilities": dict,
        "result": StatusResult,
        "worker_metadata": WorkerMetadata,
    }


class BindingInfo(Message):
    """A binding of a function."""

    undefined, string, binary, stream = range(4)
    out, inout = 1, 2
    fields: ClassVar = {"type": str, "direction": int, "data_type": int, "properties": dict}


class RpcRetryOptions(Message):
    """How often a failed call is repeated."""

    fields: ClassVar = {
        "max_retry_count": int,
        "retry_strategy": str,
        "delay_interval": nothing,
        "minimum_interval": nothing,
        "maximum_interval": nothing,
    }


class RpcFunctionMetadata(Message):
    """A function, as it was indexed."""

    fields: ClassVar = {
        "name": str,
        "function_id": str,
        "managed_dependency_enabled": bool,
        "directory": str,
        "script_file": str,
        "entry_point": str,
        "is_proxy": bool,
        "language": str,
        "bindings": dict,
        "raw_bindings": list,
        "retry_options": nothing,
        "properties": dict,
    }


class FunctionsMetadataRequest(Message):
    """Asks for all functions."""

    fields: ClassVar = {"function_app_directory": str}


class FunctionMetadataResponse(Message):
    """All functions."""

    fields: ClassVar = {
        "function_metadata_results": list,
        "result": StatusResult,
        "use_default_metadata_indexing": bool,
    }


class FunctionLoadRequest(Message):
    """Has one function made ready."""

    fields: ClassVar = {"function_id": str, "metadata": RpcFunctionMetadata}


class FunctionLoadResponse(Message):
    """The answer to it."""

    fields: ClassVar = {"function_id": str, "result": StatusResult}


class RpcTraceContext(Message):
    """The W3C trace context of a call."""

    fields: ClassVar = {"trace_parent": str, "trace_state": str, "attributes": dict}


class RetryContext(Message):
    """The how-manieth attempt a call is."""

    fields: ClassVar = {"retry_count": int, "max_retry_count": int, "exception": RpcException}


class InvocationRequest(Message):
    """A call of a function."""

    fields: ClassVar = {
        "invocation_id": str,
        "function_id": str,
        "input_data": list,
        "trigger_metadata": dict,
        "trace_context": RpcTraceContext,
        "retry_context": RetryContext,
    }


class InvocationResponse(Message):
    """What came of it."""

    fields: ClassVar = {
        "invocation_id": str,
        "output_data": list,
        "result": StatusResult,
        "return_value": nothing,
    }


class Collection(Message):
    """Several values of one kind; only the list of its kind is filled."""

    fields: ClassVar = {"string": list, "bytes": list, "double": list, "sint64": list}


class NullableString(Message):
    """A text that may be absent; so for the others."""

    fields: ClassVar = {"value": str}


class NullableBool(Message):
    """A truth value."""

    fields: ClassVar = {"value": bool}


class NullableDouble(Message):
    """A number."""

    fields: ClassVar = {"value": float}


class Timestamp(Message):
    """A moment, in seconds since 1970."""

    fields: ClassVar = {"seconds": int, "nanos": int}


class NullableTimestamp(Message):
    """A moment that may be absent."""

    fields: ClassVar = {"value": Timestamp}


class _SameSite:
    Lax, Strict, ExplicitNone = 1, 2, 3


setattr(_SameSite, "None", 0)  # the name that protobuf gives it, which Python cannot spell


class RpcHttpCookie(Message):
    """A cookie that is set."""

    SameSite = _SameSite
    fields: ClassVar = {
        "name": str,
        "value": str,
        "domain": nothing,
        "path": nothing,
        "expires": nothing,
        "secure": nothing,
        "http_only": nothing,
        "same_site": int,
        "max_age": nothing,
    }


class TypedData:
    """A value of one of several kinds, or of none."""

    KINDS = (
        "string",
        "json",
        "bytes",
        "stream",
        "http",
        "int",
        "double",
        "collection_bytes",
        "collection_string",
        "collection_double",
        "collection_sint64",
        "model_binding_data",
        "collection_model_binding_data",
    )

    def __init__(self, **given: Any) -> None:
        self.kind: str | None = None
        for name, value in given.items():
            if name not in self.KINDS:
                raise ValueError(f"TypedData has no field {name}")
            if value is not None:
                self.kind = name
                setattr(self, name, value)

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802 - protobuf's name
        """Which kind it is."""
        return self.kind


class RpcHttp(Message):
    """An HTTP request or response."""

    fields: ClassVar = {
        "method": str,
        "url": str,
        "headers": dict,
        "body": TypedData,
        "params": dict,
        "query": dict,
        "status_code": str,
        "enable_content_negotiation": bool,
        "cookies": list,
    }


class ParameterBinding(Message):
    """A value for, or from, one parameter of a function."""

    fields: ClassVar = {"name": str, "data": TypedData}

    def WhichOneof(self, group: str) -> str:  # noqa: N802 - protobuf's name
        """Where the value is: in `data`, for memory is never shared here."""
        return "data"


# How a value travels in a line of JSON between the two processes: {kind: value}, bytes in base64.


def read(value: Mapping[str, Any]) -> TypedData:
    """A value that arrived."""
    for kind, content in value.items():
        if kind == "bytes":
            return TypedData(bytes=base64.b64decode(content))
        if kind == "collection_bytes":
            parts = [base64.b64decode(part) for part in content]
            return TypedData(collection_bytes=Collection(bytes=parts))
        if kind.startswith("collection_"):
            return TypedData(**{kind: Collection(**{kind.partition("_")[2]: content})})
        if kind == "http":
            return TypedData(http=RpcHttp(**{**content, "body": read(content["body"])}))
        return TypedData(**{kind: content})
    return TypedData()


def write(data: TypedData | None) -> dict[str, Any]:
    """A value to be sent."""
    if data is None or data.kind is None:
        return {}
    content = getattr(data, data.kind)
    if data.kind == "bytes":
        return {"bytes": base64.b64encode(content).decode("ascii")}
    if data.kind == "http":
        return {
            "http": {
                "status_code": str(content.status_code),
                "headers": dict(content.headers),
                "cookies": [_cookie(cookie) for cookie in content.cookies],
                "body": write(content.body),
            }
        }
    return {data.kind: content}


def _cookie(cookie: Any) -> dict[str, Any]:
    """A cookie, with those of its attributes that are set."""
    found: dict[str, Any] = {}
    for name in RpcHttpCookie.fields:
        value = getattr(cookie, name)
        while isinstance(value, Message):  # what may be absent is wrapped, a moment in two layers
            value = getattr(value, "seconds" if isinstance(value, Timestamp) else "value")
        if value is not None:
            found[name] = value
    return found
