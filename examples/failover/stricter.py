"""A stricter policy for the replay: the fleet of the demonstration, harder to convince."""

from pathlib import Path

from stage import FLEET

CHANGES = {"  quorum: 2.0": "  quorum: 4.0", "  min_kinds: 2": "  min_kinds: 3"}


def write_stricter(folder: Path) -> Path:
    """Write the declaration with a higher quorum, and more independent views, into a folder."""
    text = FLEET.read_text()
    for old, new in CHANGES.items():
        if text.count(old) != 1:
            raise ValueError(f"{FLEET.name} does not hold {old!r} once")
        text = text.replace(old, new)
    path = folder / "stricter.yaml"
    path.write_text(text)
    return path
