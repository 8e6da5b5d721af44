"""The arguments of a request, each read as the type that the operation wants."""

from typing import Self
from uuid import UUID

from crosswind_local.servicebus.amqp.values import Array, Decimal
from crosswind_local.servicebus.conditions import argument
from crosswind_local.servicebus.wire.requests import Request


class Arguments:
    """The map in the body of a request. Each method raises a Refused when it is not so."""

    def __init__(self, request: Request) -> None:
        self.link_name = request.link_name
        """The link that the request is said to be about."""
        self._values = _map(request.body, "the body of a request")

    @classmethod
    def of(cls, value: object, name: str) -> Self:
        """The map that an argument is made of."""
        return cls(Request("", value if isinstance(value, dict) else name, b"", None, None))

    def text(self, name: str) -> str:
        value = self.optional_text(name)
        if value is None:
            raise _missing(name)
        return value

    def optional_text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            raise _wrong(name, "a string")
        return value

    def integer(self, name: str) -> int:
        value = self._values.get(name)
        if value is None:
            raise _missing(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise _wrong(name, "a whole number")
        return value

    def binary(self, name: str) -> bytes:
        value = self.optional_binary(name)
        if value is None:
            raise _missing(name)
        return value

    def optional_binary(self, name: str) -> bytes | None:
        value = self._values.get(name)
        if value is not None and not isinstance(value, bytes):
            raise _wrong(name, "binary")
        return value

    def sequence(self, name: str) -> list[object]:
        """The elements of a list or array."""
        value = self._values.get(name)
        if value is None:
            raise _missing(name)
        if isinstance(value, Array):
            return list(value.items)
        return value if isinstance(value, list) else [value]

    def integers(self, name: str) -> list[int]:
        values = self.sequence(name)
        numbers = [value for value in values if isinstance(value, int)]
        if len(numbers) != len(values) or not numbers:
            raise _wrong(name, "an array of long")
        return numbers

    def tokens(self, name: str) -> list[bytes]:
        """Lock tokens, their bytes in the order that delivery tags have."""
        values = self.sequence(name)
        tokens = [value.bytes_le for value in values if isinstance(value, UUID)]
        if len(tokens) != len(values) or not tokens:
            raise _wrong(name, "an array of uuid")
        return tokens

    def map(self, name: str) -> "dict[str, object] | None":
        value = self._values.get(name)
        return None if value is None else _map(value, name)

    def properties(self, name: str) -> dict[str, object]:
        """Application properties to set; there may be none."""
        found = self.map(name) or {}
        for key, value in found.items():
            if isinstance(value, (list, dict, Array, Decimal)):
                raise _wrong(f"{name}.{key}", "a simple value")
        return found

    @staticmethod
    def uuid(token: bytes) -> UUID:
        """A lock token as it is written in responses."""
        return UUID(bytes_le=token)


def _map(value: object, name: str) -> dict[str, object]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise _wrong(name, "a map with names as keys")
    return value


def _missing(name: str) -> Exception:
    return argument(f"{name} is missing.")


def _wrong(name: str, wanted: str) -> Exception:
    return argument(f"{name} must be {wanted}.")
