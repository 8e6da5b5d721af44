"""What all conformance tests share: what a test needs, and who is left out where it is not there.

Each folder has the tests of one service, written from its documentation for its official SDK. They
run against our emulator, or where the environment points them: see `elsewhere`.
"""

from pathlib import Path
from typing import cast

import pytest

from local.elsewhere import NEEDS, VARIABLES, Service, faults, lacking, pointed

HERE = Path(__file__).parent

_LEFT_OUT = pytest.StashKey[list[tuple[str, str]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_LEFT_OUT] = []
    config.addinivalue_line("markers", f"needs(what): left out where it is missing: {list(NEEDS)}")
    if found := faults():
        raise pytest.UsageError("; ".join(found))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        missing = _missing(item)
        (left_out if missing else kept).append(item)
        config.stash[_LEFT_OUT] += [(item.nodeid, NEEDS[need]) for need in sorted(missing)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    elsewhere = [VARIABLES[service] for service in VARIABLES if pointed(service)]
    if elsewhere:
        terminalreporter.section("conformance elsewhere")
        terminalreporter.line(f"pointed by {', '.join(elsewhere)}")
        for test, reason in config.stash[_LEFT_OUT]:
            terminalreporter.line(f"left out: {test}: {reason}")


def _missing(item: pytest.Item) -> frozenset[str]:
    """The needs of a test that its service does not meet."""
    if HERE not in item.path.parents or item.path.parent == HERE:
        return frozenset()
    service = item.path.relative_to(HERE).parts[0]
    needed = {str(need) for marker in item.iter_markers("needs") for need in marker.args}
    if unknown := needed - NEEDS.keys():
        raise pytest.UsageError(f"{item.nodeid} needs {unknown}, which elsewhere.py does not know")
    return frozenset(needed) & lacking(cast(Service, service))
