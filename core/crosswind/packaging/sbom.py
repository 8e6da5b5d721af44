"""What is in an artifact, as a CycloneDX 1.6 document (ECMA-424, second edition).

It is written without a library: a component is ten lines of JSON, and the document must be the same
bytes for the same artifact. The official schema is the oracle of its tests. The serial number
follows from the digest of the artifact, and no time of making stands in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID, uuid5

from crosswind.packaging.layers import Layer

_SPACE: Final = UUID("5c4a4d2e-6f0c-5d0e-9a53-6d1f0a3f7b11")
"""The namespace of serial numbers."""


def sbom(
    name: str,
    sha256: str,
    layers: Sequence[Layer],
    provided: Iterable[tuple[str, str]],
    depends: Mapping[str, Iterable[str]],
    crosswind: str,
) -> bytes:
    """Write the document.

    Args:
        name: of the artifact's file.
        sha256: of the artifact.
        layers: the distributions in it.
        provided: names and versions of what the platform brings, which is not in it; the versions
            are those against which it was resolved.
        depends: names of what each distribution needs; that of the artifact is ``.
        crosswind: the version that made it.
    """
    components = [_component(layer) for layer in layers]
    components += [_provided(*one) for one in provided]
    components.sort(key=lambda one: str(one["bom-ref"]))
    root = f"artifact:{sha256}"
    references = {"": root, **{one["name"]: one["bom-ref"] for one in components}}
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(_SPACE, sha256)}",
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "build"}],
            "tools": {
                "components": [{"type": "application", "name": "crosswind", "version": crosswind}]
            },
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": name,
                "hashes": [{"alg": "SHA-256", "content": sha256}],
            },
        },
        "components": components,
        "dependencies": [
            {
                "ref": references[one],
                "dependsOn": sorted({references[other] for other in others if other in references}),
            }
            for one, others in sorted(depends.items())
            if one in references
        ],
    }
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _component(layer: Layer) -> dict[str, Any]:
    component = _named(layer.name, layer.version)
    component["scope"] = "required"
    if layer.license:
        component["licenses"] = [{"expression": layer.license}]
    if layer.wheel is not None:
        digest, file = layer.wheel
        component["hashes"] = [{"alg": "SHA-256", "content": digest}]
        component["properties"] = [{"name": "crosswind:wheel", "value": file}]
    return component


def _provided(name: str, version: str) -> dict[str, Any]:
    component = _named(name, version)
    component["scope"] = "excluded"
    component["properties"] = [{"name": "crosswind:provided-by", "value": "runtime"}]
    return component


def _named(name: str, version: str) -> dict[str, Any]:
    """A component by its package URL, of the type `pypi` of purl-spec."""
    purl = f"pkg:pypi/{quote(name.lower().replace('_', '-'))}@{quote(version)}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
    }
