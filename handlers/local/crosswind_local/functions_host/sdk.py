"""The Azure Service Bus SDK, imported by the first app that needs it."""

import functools
import importlib
from typing import Any

from crosswind_local.errors import MissingRequirement

LEAST = "7.15"
"""The first version that reaches a local Service Bus at a port of its own."""


@functools.cache
def servicebus() -> Any:
    """The module `azure.servicebus`, with its `exceptions`.

    Raises:
        MissingRequirement: it is not installed; says how.
    """
    try:
        sdk = importlib.import_module("azure.servicebus")
        importlib.import_module("azure.servicebus.exceptions")
        return sdk
    except ModuleNotFoundError as error:
        if error.name is None or not "azure.servicebus".startswith(error.name):
            raise
        raise MissingRequirement(
            "functions with Service Bus bindings need the SDK: "
            f"pip install 'azure-servicebus>={LEAST}'",
            name=error.name,
        ) from error
