"""App settings: where they come from, and how bindings name them.

Source: learn.microsoft.com/azure/azure-functions/functions-develop-local#local-settings-file and
functions-bindings-expressions-patterns#binding-expressions---app-settings.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from crosswind_local.errors import LocalCloudError, StartFailed

_NAMED = re.compile(r"%([^%\s]+)%")


class SettingMissing(LocalCloudError, KeyError):
    """A binding names a setting that there is not."""

    def __str__(self) -> str:
        return str(self.args[0])


def load(path: Path) -> dict[str, str]:
    """The values of a `local.settings.json`.

    Raises:
        StartFailed: it cannot be read, is encrypted, or has values that are no texts.
    """
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise StartFailed(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("Values", {}), dict):
        raise StartFailed(f"{path} must be an object with the settings in its member Values")
    if content.get("IsEncrypted"):
        raise StartFailed(f"{path} is encrypted: func settings decrypt")
    values = content.get("Values", {})
    wrong = [name for name, value in values.items() if not isinstance(value, str)]
    if wrong:
        raise StartFailed(f"{path}: these of Values are not texts: {', '.join(sorted(wrong))}")
    return dict(values)


class Settings:
    """The settings of one app."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)

    def fill_in(self, text: str) -> str:
        """A text with each `%NAME%` replaced by that setting.

        Raises:
            SettingMissing: there is none of that name.
        """

        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name not in self.values:
                raise SettingMissing(
                    f"%{name}% stands for a setting, and there is none: set {name}"
                )
            return self.values[name]

        return _NAMED.sub(value, text)

    def service_bus(self, connection: str) -> str:
        """The connection string that a binding names; where it names none, the usual one.

        Raises:
            SettingMissing: there is none of that name, or an identity instead of a string.
        """
        wanted = connection or "ServiceBus"
        for name in (wanted, f"AzureWebJobs{wanted}"):
            if self.values.get(name):
                return self.values[name]
        if any(name.startswith(f"{wanted}__") for name in self.values):
            raise SettingMissing(
                f"{wanted} connects by identity, for which there is no token here: set {wanted} to "
                "a connection string"
            )
        raise SettingMissing(f"set {wanted} to the connection string of a Service Bus")
