"""`python -m crosswind` is the command `crosswind`."""

from __future__ import annotations

from crosswind.cli import main

if __name__ == "__main__":
    main()
