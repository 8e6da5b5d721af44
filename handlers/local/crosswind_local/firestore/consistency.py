"""As of when, and in which transaction, a request reads: the `consistency_selector` of the API."""

from dataclasses import dataclass

from crosswind_local.firestore.protocol import Pb, micros
from crosswind_local.firestore.refusals import invalid, unsupported

_OPTIMISTIC = 1


@dataclass(frozen=True, slots=True)
class Options:
    """What a new transaction is like; `read_time` is in microseconds since 1970."""

    read_only: bool = False
    read_time: int | None = None
    retried: bytes = b""


@dataclass(frozen=True, slots=True)
class Consistency:
    """A transaction, a new one, a time in microseconds since 1970, or, with none of them, now."""

    transaction: bytes = b""
    new: Options | None = None
    read_time: int | None = None


NOW = Consistency()


def consistency_of(request: Pb) -> Consistency:
    """What a request says of it.

    Raises:
        ServiceError: it is invalid (INVALID_ARGUMENT) or not supported (UNIMPLEMENTED).
    """
    match request.WhichOneof("consistency_selector"):
        case "transaction":
            return Consistency(transaction=request.transaction)
        case "new_transaction":
            # Where a read begins a transaction, it only reads unless it says otherwise.
            return Consistency(new=options_of(request.new_transaction, read_only=True))
        case "read_time":
            return Consistency(read_time=time_of(request.read_time))
        case _:
            return NOW


def options_of(options: Pb, *, read_only: bool = False) -> Options:
    """What a new transaction is to be like; `read_only` unless it says.

    Raises:
        ServiceError: it is invalid (INVALID_ARGUMENT) or not supported (UNIMPLEMENTED).
    """
    match options.WhichOneof("mode"):
        case "read_only":
            if options.read_only.HasField("read_time"):
                return Options(read_only=True, read_time=time_of(options.read_only.read_time))
            return Options(read_only=True)
        case "read_write":
            # Older releases of the SDK do not know of it.
            if getattr(options.read_write, "concurrency_mode", None) == _OPTIMISTIC:
                raise unsupported("optimistic transactions")
            return Options(retried=options.read_write.retry_transaction)
        case _:
            return Options(read_only=read_only)


def time_of(stamp: Pb) -> int:
    """Microseconds since 1970.

    Raises:
        ServiceError: it is finer than that, or no time (INVALID_ARGUMENT).
    """
    if not 0 <= stamp.nanos < 1_000_000_000 or stamp.nanos % 1000:
        raise invalid("read_time must be a timestamp of microsecond precision.")
    return micros(stamp)
