"""The published documents: equal to the models, valid, complete, and the same each time."""

from __future__ import annotations

import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from crosswind_events import CATALOGUE, Codec, Event, EventData, RegionUnhealthy
from crosswind_events.schemas import (
    FOLDER,
    asyncapi,
    documents,
    drift,
    event_schema,
    main,
    type_schema,
    write,
)
from unit.events.drawn import Moved, briefly, events

WANTED = documents(CATALOGUE)


def test_the_published_documents_are_equal_to_the_models() -> None:
    assert drift(FOLDER, WANTED) == [], "run python -m crosswind_events.schemas --write"


def test_there_is_a_document_for_each_type_one_for_events_and_one_for_all() -> None:
    names = {f"{model.event_type}.json" for model in CATALOGUE}
    assert WANTED.keys() == names | {"event.json", "asyncapi.json"}


def test_the_documents_are_the_same_each_time_and_in_any_order() -> None:
    assert documents(reversed(CATALOGUE)) == WANTED


@pytest.mark.parametrize("name", [name for name in WANTED if name != "asyncapi.json"])
def test_a_schema_is_valid_and_has_a_stable_name(name: str) -> None:
    schema = json.loads(WANTED[name])
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:crosswind:schema:{name.removesuffix('.json')}"


@given(events)
@briefly
def test_every_event_that_is_written_satisfies_the_schemas(event: Event[Any]) -> None:
    body = json.loads(Codec().encode(event))
    Draft202012Validator(event_schema()).validate(body)
    if isinstance(event.data, EventData):
        Draft202012Validator(type_schema(type(event.data))).validate(body["data"])


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"specversion": "0.3"},
        {"time": None},
        {"Upper": "1"},
        {"toolongforanattributex": "1"},
        {"note": 0.5},
        {"note": 2**31},
        {"note": []},
        {"data_base64": 1},
    ],
)
def test_the_schema_of_events_refuses_what_a_codec_refuses(change: dict[str, Any]) -> None:
    good = {
        "specversion": "1.0",
        "id": "1",
        "source": "/s",
        "type": "com.example.x.v1",
        "time": "2030-01-31T12:00:00Z",
        "data": {"any": ["thing"]},
    }
    validator = Draft202012Validator(event_schema())
    validator.validate(good)
    assert not validator.is_valid(good | change)


def test_a_field_is_not_titled_with_its_own_name() -> None:
    schema = type_schema(RegionUnhealthy)
    assert schema["title"] == "RegionUnhealthy"
    assert "title" not in schema["properties"]["region"]


def test_the_asyncapi_document_is_whole() -> None:
    """It holds what AsyncAPI 3.0.0 asks for, and every reference leads somewhere."""
    document = json.loads(WANTED["asyncapi.json"])
    assert document["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= document["info"].keys()
    messages = document["components"]["messages"]
    assert messages.keys() == {model.event_type for model in CATALOGUE}
    assert all(re.fullmatch(r"[\w.-]+", name) for name in messages)
    channel = document["channels"]["events"]
    for operation in document["operations"].values():
        assert operation["action"] in ("send", "receive")
        # "It MUST contain a subset of the messages defined in the channel referenced."
        for reference in operation["messages"]:
            assert reference["$ref"].startswith("#/channels/events/messages/")
    assert channel["messages"].keys() == messages.keys()

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            found = [value["$ref"]] if "$ref" in value else []
            return found + [each for inner in value.values() for each in references(inner)]
        return (
            [each for inner in value for each in references(inner)] if type(value) is list else []
        )

    for reference in references(document):
        file, _, pointer = reference.partition("#")
        target = json.loads(WANTED[file.removeprefix("./")]) if file else document
        for step in pointer.strip("/").split("/") if pointer else ():
            target = target[step]


def test_a_message_says_what_it_means_and_whether_it_ends_a_chain() -> None:
    message = asyncapi([Moved])["components"]["messages"]["com.example.thing.moved.v1"]
    assert message["title"] == "Moved"
    assert message["summary"] == "An event type as a user writes one."
    assert message["x-ends"] == "completed"
    assert message["headers"]["properties"] == {"type": {"const": "com.example.thing.moved.v1"}}


def test_a_message_without_a_word_of_its_own_is_named_by_its_class() -> None:
    class Silent(EventData, type="com.example.silent.v1"):
        pass

    Silent.__doc__ = None
    message = asyncapi([Silent])["components"]["messages"]["com.example.silent.v1"]
    assert "x-ends" not in message
    assert message["summary"]


def test_what_has_drifted_is_named_and_put_right(tmp_path: Path) -> None:
    wanted = {"a.json": "1\n", "b.json": "2\n"}
    (tmp_path / "b.json").write_text("3\n")
    (tmp_path / "old.json").write_text("4\n")
    (tmp_path / "README.md").write_text("not ours")
    assert drift(tmp_path, wanted) == ["a.json", "b.json", "old.json"]
    assert write(tmp_path, wanted) == ["a.json", "b.json", "old.json"]
    assert drift(tmp_path, wanted) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "a.json", "b.json"]


def test_check_exits_with_one_on_drift_and_write_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ["--folder", str(tmp_path)]
    assert main(["--check", *folder]) == 1
    said = capsys.readouterr().err
    assert "asyncapi.json differs from the models" in said
    assert said.endswith("Run python -m crosswind_events.schemas --write.\n")
    (tmp_path / "stale.json").write_text("{}")
    assert main(["--write", *folder]) == 0
    said = capsys.readouterr().out
    assert "wrote asyncapi.json" in said
    assert "removed stale.json" in said
    assert main(["--check", *folder]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_folder_that_is_not_there_is_a_mistake_in_the_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--check", "--folder", str(tmp_path / "none")])
    assert caught.value.code == 2
    assert "run this from a checkout or give --folder" in capsys.readouterr().err


def test_it_runs_as_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "crosswind_events.schemas")
    for mode, status in (("--check", 1), ("--write", 0), ("--check", 0)):
        monkeypatch.setattr(sys, "argv", ["schemas", "--folder", str(tmp_path), mode])
        with pytest.raises(SystemExit) as caught:
            runpy.run_module("crosswind_events.schemas", run_name="__main__")
        assert caught.value.code == status
