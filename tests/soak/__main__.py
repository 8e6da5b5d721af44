"""The command of the soak."""

import argparse
import sys

import soak
from soak import pubsub, servicebus

SERVICES = {"pubsub": pubsub.soak, "servicebus": servicebus.soak}


def main() -> int:
    """Soak the services that are asked for; the status tells whether all of it was good enough."""
    parser = argparse.ArgumentParser(
        prog="soak", description=soak.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("service", nargs="*", default=[], help="pubsub or servicebus, else both")
    parser.add_argument("--minutes", type=float, default=10, help="of each")
    given = parser.parse_args()
    if unknown := set(given.service) - SERVICES.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(SERVICES)}")
    status = 0
    for name in given.service or SERVICES:
        print(f"{name}, {given.minutes:g} minutes", flush=True)
        for fault in SERVICES[name](given.minutes * 60):
            print(f"{name}: {fault}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
