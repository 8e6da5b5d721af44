"""How fast Crosswind is, as ratios: `PYTHONPATH=tests python -m bench [FIGURE...]`.

Prints one JSON object a line. Ends with 1 if a limit was missed.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from bench.figures import FIGURES, Plan


def main() -> int:
    """Measure what is asked for, all of it unless said."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=", ".join(FIGURES))
    parser.add_argument("--rounds", type=int, help="rounds of work within a process")
    parser.add_argument("--starts", type=int, help="rounds of starting processes")
    parser.add_argument("--journal", type=int, help="runs in the large journal")
    parser.add_argument("--fleets", type=int, help="random fleets that are planned and solved")
    parser.add_argument("--outages", type=int, help="outages that each policy is played on")
    given = parser.parse_args()
    unknown = [name for name in given.figures if name not in FIGURES]
    if unknown:
        parser.error(f"no figure {', '.join(unknown)}; there are {', '.join(FIGURES)}")
    asked = {name: value for name, value in vars(given).items() if name != "figures" and value}
    plan = replace(Plan(), **asked)
    kept = True
    for name in given.figures or FIGURES:
        for figure in FIGURES[name](plan):
            print(figure.line(), flush=True)
            kept = kept and figure.ok
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
