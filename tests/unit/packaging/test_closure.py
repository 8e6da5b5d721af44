"""Which distributions are needed, which modules are reached, and what nothing brings."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from crosswind.packaging import archive
from crosswind.packaging.closure import check_imports, needed, prune, reached
from crosswind.packaging.faults import Fault, Faults, PackagingFailed
from crosswind.packaging.layers import Layer, scan
from crosswind.packaging.platform import Aside, Pruning
from crosswind_aws.package import PLATFORM

MARKERS = {"python_version": "3.13", "platform_machine": "aarch64"}


def layer(name: str, files: dict[str, str] | None = None, *requires: str) -> Layer:
    content = {path: text.encode() for path, text in (files or {f"{name}.py": ""}).items()}
    members = tuple(archive.pack(path, data) for path, data in content.items())
    return Layer(name, "1.0", members, scan(content), requires=requires)


def need(wanted: str, *layers: Layer) -> set[str]:
    return needed([Requirement(wanted)], {one.name: one for one in layers}, MARKERS)


def test_what_is_needed_is_followed_and_the_rest_is_not() -> None:
    layers = (layer("a", None, "b"), layer("b"), layer("c"))
    assert need("a", *layers) == {"a", "b"}


def test_a_requirement_counts_only_where_its_marker_holds_on_the_target() -> None:
    old = 'b; python_version < "3.12"'
    arm = 'c; platform_machine == "aarch64"'
    assert need("a", layer("a", None, old, arm), layer("b"), layer("c")) == {"a", "c"}


def test_an_extra_brings_what_it_needs_whenever_it_is_asked_for() -> None:
    a = layer("a", None, 'b; extra == "more"', "d")
    d = layer("d", None, "a[more]")
    assert need("a", layer("a", None, 'b; extra == "more"'), layer("b")) == {"a"}
    assert need("a[more]", a, layer("b"), d) == {"a", "b", "d"}
    assert need("a", a, layer("b"), d) == {"a", "b", "d"}


def test_what_only_the_platform_s_own_packages_need_is_not_needed() -> None:
    # boto3 has no layer: the platform has it, and so it has urllib3.
    assert need("a", layer("a", None, "boto3"), layer("urllib3")) == {"a"}


def reach(files: dict[str, str], *roots: str, **pruning: frozenset[str]) -> set[str]:
    modules = scan({path: text.encode() for path, text in files.items()})
    return reached(roots, modules, [Pruning(">=0", **pruning)])  # type: ignore[arg-type]  # two sets


FILES = {
    "p/__init__.py": "from p import used",
    "p/used.py": "def f():\n    import p.late",
    "p/late.py": "",
    "p/unused.py": "import p.deep.one",
    "p/deep/__init__.py": "",
    "p/deep/one.py": "",
}


def test_modules_are_reached_through_imports_wherever_they_stand() -> None:
    assert reach(FILES, "p") == {"p", "p.used", "p.late"}


def test_a_module_brings_the_packages_above_it() -> None:
    assert reach(FILES, "p.deep.one") == {"p", "p.used", "p.late", "p.deep", "p.deep.one"}


def test_a_module_that_imports_by_computed_names_keeps_all_beside_and_below_it() -> None:
    files = {**FILES, "p/used.py": "import_module(name)"}
    assert reach(files, "p") == set(scan(dict.fromkeys(FILES, b"")))
    assert reach(files, "p", lazy=frozenset({"p.used"})) == {"p", "p.used"}


def test_what_is_imported_to_word_a_message_goes_along_only_for_others() -> None:
    files = {"p/__init__.py": "import p.old", "p/old.py": "", "q.py": "import p.old"}
    old = frozenset({"p.old"})
    assert reach(files, "p", unneeded=old) == {"p"}
    assert reach(files, "p", "q", unneeded=old) == {"p", "q", "p.old"}


ASIDE = Aside("p.web", frozenset({"ours"}), frozenset({"p.web.docs"}))
WEB = {
    "p/__init__.py": "",
    "p/web/__init__.py": "def describe():\n    import p.web.docs",
    "p/web/docs/__init__.py": "import p.web.docs.page",
    "p/web/docs/page.py": "",
    "ours.py": "from p import web",
}


def web(source: str) -> set[str]:
    """What is reached beside ours where there is another module."""
    files = {**WEB, "theirs.py": source}
    modules = scan({path: text.encode() for path, text in files.items()})
    found = reached(["ours", "theirs"], modules, [Pruning(">=0", asides=(ASIDE,))])
    return found & {"p.web", "p.web.docs", "p.web.docs.page"}


def test_what_nobody_can_ask_for_is_not_reached() -> None:
    assert web("") == {"p.web"}
    assert web("import p") == {"p.web"}


@pytest.mark.parametrize(
    "source",
    [
        "import p.web",
        "def f():\n    from p import web",
        "from p.web import describe",
        "import p.web.docs",
        "from importlib import import_module\nimport_module(name)",
    ],
)
def test_who_may_ask_brings_all_that_can_be_asked_for(source: str) -> None:
    assert web(source) == {"p.web", "p.web.docs", "p.web.docs.page"}


PACKED = {
    "p/__init__.py": "",
    "p/data.json": "1",
    "p/deep/__init__.py": "",
    "p/deep/data.json": "2",
    "p/deep/more/x.bin": "3",
    "p/page.css": "4",
    "p-1.0.dist-info/METADATA": "Name: p",
}


def paths(one: Layer) -> set[str]:
    return {member.path for member in one.members}


def test_data_goes_along_with_the_package_that_it_lies_in() -> None:
    whole = layer("p", PACKED)
    pruned = prune(whole, Pruning(">=1,<2", data=("p/*.css",)), {"p"})
    assert paths(pruned) == {"p/__init__.py", "p/data.json", "p-1.0.dist-info/METADATA"}
    assert pruned.left_out == {"unreached": 3}
    assert paths(prune(whole, Pruning(">=1,<2"), {"p", "p.deep"})) == set(PACKED)


def test_a_version_that_nobody_looked_at_is_packed_whole() -> None:
    whole = layer("p", PACKED)
    assert prune(whole, Pruning(">=2"), {"p"}) is whole


def missing(source: str) -> tuple[tuple[Fault, ...], list[str]]:
    """Faults and notes on an app of one module."""
    faults = Faults()
    modules = scan({"ops.py": source.encode()})
    notes = check_imports(modules, [layer("httpx")], PLATFORM, {"ops.py": "src/ops.py"}, faults)
    try:
        faults.check()
    except PackagingFailed as failed:
        return failed.faults, notes
    return (), notes


def test_a_module_that_nothing_brings_is_a_fault_with_its_line() -> None:
    (fault,), _ = missing("import json, httpx, boto3, ops\n\nimport requests.adapters\n")
    assert fault.where == "src/ops.py:3"
    assert "imports requests" in fault.problem


def test_one_that_is_imported_now_and_then_is_noted_and_an_optional_one_is_not() -> None:
    faults, notes = missing(
        "try:\n    import fast\nexcept ImportError:\n    fast = None\ndef f():\n    import late\n"
    )
    assert not faults
    assert notes == [
        "src/ops.py:6: imports late, which no requirement and no runtime of AWS Lambda brings"
    ]
