"""What is in an artifact, as the official CycloneDX schema wants it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind.packaging.layers import Layer
from crosswind.packaging.sbom import sbom

VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)
DIGEST = "0f" * 32
LAYERS = [
    Layer("crosswind", "0.1.0", ()),
    Layer("pydantic-core", "2.50.5", (), wheel=("ab" * 32, "p.whl"), license="MIT"),
    Layer("typing_extensions", "4.16.0", (), wheel=("cd" * 32, "t.whl"), license="PSF-2.0 OR MIT"),
]
DEPENDS = {
    "": ["crosswind"],
    "crosswind": ["pydantic-core"],
    "pydantic-core": ["typing_extensions"],
}


def document(layers: list[Layer] = LAYERS) -> dict[str, Any]:
    written = sbom("ops.zip", DIGEST, layers, [("boto3", "1.44.5")], DEPENDS, "0.1.0")
    found: dict[str, Any] = json.loads(written)
    return found


def faults(found: dict[str, Any]) -> object:
    return VALIDATOR.validate_str(json.dumps(found))


def test_it_is_what_the_official_schema_wants() -> None:
    assert faults(document()) is None


def test_the_validator_sees_what_is_wrong() -> None:
    assert faults({**document(), "serialNumber": "1"}) is not None
    assert faults({**document(), "unknown": 1}) is not None


NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?", fullmatch=True)
VERSIONS = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,2}(\.post1|rc1|\+local\.1)?", fullmatch=True)


@settings(max_examples=10)
@given(NAMES, VERSIONS)
def test_any_name_and_version_is_well_written(name: str, version: str) -> None:
    assert faults(document([Layer(name, version, ())])) is None


def test_it_pins_the_artifact_and_every_wheel_by_digest() -> None:
    found = document()
    assert found["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": DIGEST}]
    core = next(one for one in found["components"] if one["name"] == "pydantic-core")
    assert core["hashes"][0]["content"] == "ab" * 32
    assert core["purl"] == "pkg:pypi/pydantic-core@2.50.5"
    assert core["licenses"] == [{"expression": "MIT"}]


def test_what_the_runtime_brings_is_named_and_excluded() -> None:
    (boto3,) = (one for one in document()["components"] if one["name"] == "boto3")
    assert boto3["scope"] == "excluded"


def test_it_says_what_depends_on_what() -> None:
    edges = {one["ref"]: one["dependsOn"] for one in document()["dependencies"]}
    assert edges[f"artifact:{DIGEST}"] == ["pkg:pypi/crosswind@0.1.0"]
    assert edges["pkg:pypi/crosswind@0.1.0"] == ["pkg:pypi/pydantic-core@2.50.5"]


@pytest.mark.parametrize("digest", [DIGEST, "1e" * 32])
def test_the_same_artifact_has_the_same_document(digest: str) -> None:
    written = [sbom("o.zip", digest, LAYERS, [], DEPENDS, "0.1.0") for _ in range(2)]
    assert written[0] == written[1]
    serial = json.loads(written[0])["serialNumber"]
    assert (serial == document()["serialNumber"]) == (digest == DIGEST)
