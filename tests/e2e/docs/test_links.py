"""Every link within the repository leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from e2e.docs.pages import DOCS, ROOT, prose

PAGES: Final = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md")))
_LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """What a heading is called in a link, as GitHub has it."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(prose(page)):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.is_relative_to(ROOT), f"{link} leads out of the repository"
        assert target.exists(), f"{link}: there is no {target}"
        if anchor:
            assert anchor in anchors(target), f"{link}: no such heading in {target.name}"


def test_every_page_is_in_the_index() -> None:
    linked = set(_LINK.findall(prose(DOCS / "README.md")))
    pages = {page.name for page in DOCS.glob("*.md")} - {"README.md"}
    assert pages <= linked


def test_a_heading_is_found_by_its_name() -> None:
    assert "how-a-chain-ends" in anchors(DOCS / "failover.md")
    assert "no-such-heading" not in anchors(DOCS / "failover.md")
