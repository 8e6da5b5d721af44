"""The published contract: a JSON Schema for each type, and one AsyncAPI 3 document of them all.

    python -m crosswind_events.schemas --write     write them into events/schemas
    python -m crosswind_events.schemas --check     exit with 1 where they differ from the models

They are made from the models, so the models are what is edited. The same models always give the
same bytes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from inspect import getdoc
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from . import attributes as rules
from .data import EventData

DRAFT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).resolve().parents[1] / "schemas"

# Of the documents' own form: each event type carries its version in its name.
_VERSION = "1.0.0"

_TEXT = {"type": "string", "minLength": 1, "maxLength": rules.MAX_ATTRIBUTE_BYTES}


class _Plain(GenerateJsonSchema):
    """pydantic's generator, without a title on every field that only repeats its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def dict_schema(self, schema: Any) -> dict[str, Any]:
        """Hold every key to its pattern: pydantic's own form lets others pass unlooked at."""
        made = super().dict_schema(schema)
        for pattern, values in made.pop("patternProperties", {}).items():
            made["propertyNames"] = {**made.get("propertyNames", {}), "pattern": pattern}
            made["additionalProperties"] = values
        return made


def type_schema(model: type[EventData]) -> dict[str, Any]:
    """Give the JSON Schema (draft 2020-12) of the data of one event type."""
    schema = model.model_json_schema(schema_generator=_Plain)
    return {"$schema": DRAFT, "$id": f"urn:crosswind:schema:{model.event_type}", **schema}


def event_schema() -> dict[str, Any]:
    """Give the JSON Schema of an event in structured mode, whatever its type."""
    attributes = _attributes()
    return {
        "$schema": DRAFT,
        "$id": "urn:crosswind:schema:event",
        "title": "Event",
        "description": "A CloudEvent 1.0.2 in structured mode, as Crosswind writes and reads it.",
        **attributes,
        "properties": {
            **attributes["properties"],
            "data": {"description": "The data; its schema is the one named like the type."},
            "data_base64": {
                "description": "Data that is no JSON and no text, in base64.",
                "type": ["string", "null"],
                "contentEncoding": "base64",
            },
        },
        "additionalProperties": False,
    }


def asyncapi(models: Iterable[type[EventData]]) -> dict[str, Any]:
    """Give the AsyncAPI 3.0 document of these types: one channel, which every bus realises."""
    messages = {model.event_type: _message(model) for model in models}
    channel = {"$ref": "#/channels/events"}
    operation = [{"$ref": f"#/channels/events/messages/{name}"} for name in messages]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Crosswind events",
            "version": _VERSION,
            "description": (
                "What Crosswind says and hears. Events are CloudEvents 1.0.2; the headers of a "
                "message are the event's context attributes, as the bus carries them."
            ),
            "license": {
                "name": "Apache-2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
        },
        "defaultContentType": rules.JSON_MEDIA,
        "channels": {
            "events": {
                "address": None,
                "title": "The bus",
                "description": "EventBridge, Pub/Sub, Service Bus or the embedded bus.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {
            "receive": {"action": "receive", "channel": channel, "messages": operation},
            "send": {"action": "send", "channel": channel, "messages": operation},
        },
        "components": {
            "messages": messages,
            "schemas": {"attributes": _attributes()},
            "correlationIds": {
                "chain": {
                    "description": "The chain to which the event belongs.",
                    "location": "$message.header#/correlationid",
                }
            },
        },
    }


def documents(models: Iterable[type[EventData]]) -> dict[str, str]:
    """Give every document by its file name."""
    types = sorted(models, key=lambda model: model.event_type)
    made = {f"{model.event_type}.json": type_schema(model) for model in types}
    made["event.json"] = event_schema()
    made["asyncapi.json"] = asyncapi(types)
    return {
        name: json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        for name, document in made.items()
    }


def drift(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    """Name the files of a folder that are missing, out of date, or of no type any more."""
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(
        name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)
    )


def write(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    """Make a folder hold these documents and no others; names what has changed."""
    changed = drift(folder, wanted)
    for name in changed:
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return changed


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the documents or check them; gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m crosswind_events.schemas",
        description="Keep the published schemas equal to the models of the catalogue.",
    )
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help="write what has changed")
    mode.add_argument("--check", action="store_true", help="exit with 1 where something differs")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="default: %(default)s")
    options = parser.parse_args(arguments)
    folder: Path = options.folder
    if not folder.is_dir():
        parser.error(f"there is no folder {folder}; run this from a checkout or give --folder")

    from .catalogue import CATALOGUE

    wanted = documents(CATALOGUE)
    if options.write:
        for name in write(folder, wanted):
            print(f"wrote {name}" if name in wanted else f"removed {name}")
        return 0
    changed = drift(folder, wanted)
    for name in changed:
        print(f"{folder / name} differs from the models", file=sys.stderr)
    if changed:
        print("Run python -m crosswind_events.schemas --write.", file=sys.stderr)
    return 1 if changed else 0


def _message(model: type[EventData]) -> dict[str, Any]:
    message: dict[str, Any] = {
        "name": model.event_type,
        "title": model.__name__,
        "summary": (getdoc(model) or model.__name__).partition("\n\n")[0].replace("\n", " "),
        "contentType": rules.JSON_MEDIA,
        "headers": {
            "type": "object",
            "allOf": [{"$ref": "#/components/schemas/attributes"}],
            "properties": {"type": {"const": model.event_type}},
            "required": ["type"],
        },
        "payload": {"$ref": f"./{model.event_type}.json"},
        "correlationId": {"$ref": "#/components/correlationIds/chain"},
    }
    if model.ends is not None:
        message["x-ends"] = model.ends
    return message


def _attributes() -> dict[str, Any]:
    optional = {**_TEXT, "type": ["string", "null"]}
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {**_TEXT, "description": "With the source, names the event."},
            "source": {**_TEXT, "format": "uri-reference"},
            "type": {**_TEXT, "description": "What kind of thing happened, and its version."},
            "time": {"type": "string", "format": "date-time"},
            "subject": optional,
            "datacontenttype": {**optional, "default": rules.JSON_MEDIA},
            "dataschema": {**optional, "format": "uri"},
        },
        "patternProperties": {
            f"^(?!data$)[a-z0-9]{{1,{rules.MAX_NAME}}}$": {
                "type": ["string", "integer", "boolean", "null"],
                "minimum": -(2**31),
                "maximum": 2**31 - 1,
                "maxLength": rules.MAX_ATTRIBUTE_BYTES,
            }
        },
    }


if __name__ == "__main__":
    sys.exit(main())
