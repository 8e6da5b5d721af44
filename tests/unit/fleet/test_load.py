"""Reading a fleet from a file: what is taken, and what is said of everything that is not."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, TypeAdapter

from bench.fleets import fleet_yaml
from crosswind.errors import FleetInvalid
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.documents import MAX_BYTES, MAX_VALUES
from crosswind.fleet.load import MAX_LISTED, load_fleet, parse_fleet
from crosswind.fleet.schema import fleet_schema
from unit.fleet.fleets import document, fleet

ROOT = Path(__file__).parents[3]
FIXTURES = ROOT / "tests" / "fixtures" / "fleet"
EXAMPLE = ROOT / "examples" / "failover" / "fleet.yaml"

MINIMAL = """\
name: test
regions:
  aws/us-east-1: {jurisdiction: NO}
"""


def refusal(text: str | bytes, name: str = "fleet.yaml") -> str:
    with pytest.raises(FleetInvalid) as caught:
        parse_fleet(text, name)
    return str(caught.value)


def as_json(**changes: Any) -> str:
    return json.dumps(document(**changes), indent=1)


def test_yaml_and_json_declare_the_same_fleet(tmp_path: Path) -> None:
    (tmp_path / "fleet.json").write_text(as_json())
    (tmp_path / "fleet.yml").write_text(as_json())
    assert load_fleet(tmp_path / "fleet.json") == fleet()
    assert load_fleet(str(tmp_path / "fleet.yml")) == fleet()


def test_the_example_fleet_is_valid() -> None:
    example = load_fleet(EXAMPLE)
    assert example.mode_for("chat", "register.accept") == "propose"
    assert example.mode_for("chat", "traffic.set-weights") == "act"


@pytest.mark.parametrize("name", ["wrong-form", "wrong-meaning"])
def test_every_fault_is_listed_with_its_line_and_what_to_write_instead(name: str) -> None:
    text = (FIXTURES / f"{name}.yaml").read_text()
    expected = (FIXTURES / f"{name}.faults.txt").read_text()
    assert refusal(text) + "\n" == expected


def test_a_fault_in_json_has_its_line_too() -> None:
    text = as_json(probes={"every": 0, "count": 3})
    line = text[: text.index('"every"')].count("\n") + 1
    assert refusal(text, "fleet.json") == (
        "fleet.json does not declare a fleet; it has one fault:\n"
        f"  fleet.json:{line}: probes.every: is 0; it must be more than 0"
    )


def test_the_code_of_norway_is_a_country_and_not_a_boolean() -> None:
    assert parse_fleet(MINIMAL).regions["aws/us-east-1"].jurisdiction == "NO"


def test_a_value_may_be_named_and_repeated() -> None:
    text = MINIMAL + (
        "workloads:\n"
        "  one: &like\n"
        "    rate: 1\n"
        "    per_replica: 1\n"
        "    regions: {aws/us-east-1: {weight: 1, replicas: 1, quota: 1}}\n"
        "  two: *like\n"
    )
    declared = parse_fleet(text)
    assert declared.workloads["two"] == declared.workloads["one"]


def test_a_fault_in_a_repeated_value_is_told_where_the_value_stands() -> None:
    text = MINIMAL + "probes: &p {every: 0}\nfailover: *p\n"
    assert "fleet.yaml:4: probes.every: is 0;" in refusal(text)
    assert "fleet.yaml:4: failover.every: is not known here;" in refusal(text)


@pytest.mark.parametrize(
    ("text", "name", "reason"),
    [
        ("", "fleet.yaml", "fleet.yaml:1: the document is empty; begin with name:,"),
        ("# nothing\n", "fleet.yaml", "fleet.yaml:1: the document is empty"),
        ("null", "fleet.json", "fleet.json:1: the document is empty"),
        ("- 1\n", "fleet.yaml", "fleet.yaml:1: is a list of 1; it must be a mapping of fields"),
        ("name: a\n- b\n", "fleet.yaml", "fleet.yaml:2: the document is not valid YAML: "),
        ("name: 'a\n\n", "fleet.yaml", "fleet.yaml:3: the document is not valid YAML: "),
        ("name: \x07\n", "fleet.yaml", "fleet.yaml:1: the document is not valid YAML: "),
        ("a: 1\n---\nb: 2\n", "fleet.yaml", "fleet.yaml:2: a second document begins here"),
        ("a: 1\n? [b]\n: 2\n", "fleet.yaml", "fleet.yaml:2: a key must be a plain text"),
        ("a: &a [1]\n? *a\n: 2\n", "fleet.yaml", "fleet.yaml:2: a key must be a plain text"),
        ("a: &a [*a]\n", "fleet.yaml", "fleet.yaml:1: *a stands inside of what it repeats"),
        ("a: 1\nb: *c\n", "fleet.yaml", "fleet.yaml:2: *c repeats a value that nothing above"),
        ('{"a": 1,\n"b" 2}', "fleet.json", "fleet.json:2: the document is not valid JSON: "),
        ('{"a": NaN}', "fleet.json", "fleet.json:1: the document is not valid JSON: NaN is not"),
        ('{"a": 1, "a": 2}', "fleet.json", "fleet.json:1: the key 'a' is repeated"),
        (b"name: \xff\n", "fleet.yaml", "fleet.yaml:1: the document is not UTF-8"),
        (b"a: 1\nname: \xff\n", "fleet.yaml", "fleet.yaml:2: the document is not UTF-8"),
    ],
)
def test_what_is_no_document_is_refused_with_its_line(
    text: str | bytes, name: str, reason: str
) -> None:
    assert reason in refusal(text, name)


def test_a_byte_order_mark_is_no_part_of_the_name() -> None:
    assert parse_fleet(b"\xef\xbb\xbf" + MINIMAL.encode()).name == "test"


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(FleetInvalid, match="cannot be read: No such file"):
        load_fleet(tmp_path / "fleet.yaml")


def test_faults_of_a_well_formed_fleet_come_with_the_repeated_keys() -> None:
    assert refusal(MINIMAL + "name: test\n").splitlines() == [
        "fleet.yaml does not declare a fleet; it has one fault:",
        "  fleet.yaml:4: the key 'name' is repeated, it stands in line 1",
    ]


BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefghij", "bcdefghijk", strict=True)
)


@pytest.mark.parametrize(
    ("text", "name", "reason"),
    [
        ("[" * 500_000, "fleet.yaml", "nested more than"),
        ("- " * 500_000, "fleet.yaml", "nested more than"),
        ("{a: " * 400_000, "fleet.yaml", "nested more than"),
        ("[" * 500_000 + "]" * 500_000, "fleet.json", "nested more than"),
        ("[" * 100 + "]" * 100, "fleet.json", "nested more than"),
        (BOMB, "fleet.yaml", f"more than {MAX_VALUES} values"),
        ("- 1\n" * (MAX_VALUES + 2), "fleet.yaml", f"more than {MAX_VALUES} values"),
        ("a: 1\n" * 100_000, "fleet.yaml", "1000 such faults stand above"),
        ("a" * (MAX_BYTES + 1), "fleet.yaml", "larger than 2000 kB"),
        ("é" * (MAX_BYTES // 2 + 1), "fleet.yaml", "larger than 2000 kB"),
        (f'{{"a": {"9" * 5000}}}', "fleet.json", "not valid JSON"),
    ],
    ids=["brackets", "dashes", "braces", "json", "shallow json", "aliases", "values", "keys",
         "bytes", "characters", "digits"],
)  # fmt: skip
def test_a_hostile_document_is_refused_in_bounded_time(text: str, name: str, reason: str) -> None:
    began = time.perf_counter()
    assert reason in refusal(text, name)
    assert time.perf_counter() - began < 5


def test_more_faults_than_anybody_reads_are_counted() -> None:
    text = MINIMAL + "".join(f"x{n}: 1\n" for n in range(MAX_LISTED + 7))
    lines = refusal(text).splitlines()
    assert lines[0].endswith(f"it has {MAX_LISTED + 7} faults:")
    assert lines[-1] == "  and 7 more"
    assert len(lines) == MAX_LISTED + 2


def test_a_large_fleet_loads_in_well_under_a_second(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(fleet_yaml())
    began = time.process_time()
    declared = load_fleet(path)
    # A fifth of it is usual; `make bench loading` has the ratio to the loader alone.
    assert time.process_time() - began < 1
    assert (len(declared.regions), len(declared.workloads)) == (60, 1000)


def test_the_schema_admits_what_loads_and_refuses_what_does_not() -> None:
    import yaml

    schema = fleet_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert not list(validator.iter_errors(yaml.safe_load(EXAMPLE.read_text())))
    assert list(validator.iter_errors(document(nmae=1)))
    assert list(validator.iter_errors(document(probes={"every": "5 min"})))


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """All models in the annotation of a field, and in theirs."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation)
    for argument in get_args(annotation):
        yield from models(argument)


def test_every_field_that_may_be_missing_has_an_example_that_can_be_written() -> None:
    for model in {*models(Fleet)}:
        for name, field in model.model_fields.items():
            if field.is_required():
                assert field.examples, f"{model.__name__}.{name}"
                (example, *_) = field.examples
                adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
                adapter.validate_python(example)


WITHOUT_YAML = """
import sys
sys.modules["yaml"] = None
from crosswind.fleet.load import load_fleet
print(load_fleet(sys.argv[1]).name)
try:
    load_fleet(sys.argv[2])
except ImportError as error:
    print(error.name, error)
"""


def test_json_needs_no_extra_and_yaml_names_the_one_it_needs(tmp_path: Path) -> None:
    (tmp_path / "fleet.json").write_text(as_json())
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_YAML, str(tmp_path / "fleet.json"), str(EXAMPLE)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.splitlines() == [
        "test",
        "yaml reading YAML needs PyYAML: pip install 'crosswind[cli]', or write the fleet as JSON",
    ], done.stderr


def test_a_missing_pyyaml_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ImportError, match=r"crosswind\[cli\]"):
        parse_fleet(MINIMAL)


def test_a_broken_pyyaml_is_not_taken_for_a_missing_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "yaml.py").write_text("import a_module_that_is_not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "yaml", raising=False)
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
        parse_fleet(MINIMAL)


def test_the_python_parser_reads_the_same_where_the_c_one_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import yaml

    fast = parse_fleet(EXAMPLE.read_text())
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert parse_fleet(EXAMPLE.read_text()) == fast
