"""The command `crosswind-local`: run one local service until it is interrupted.

It prints the environment variables that point an SDK at the service, one `NAME=value` a line, or
as a JSON object with `--json`; so `export $(...)` or any launcher can use them.
"""

import json
import logging
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import click

from crosswind_local.errors import MissingRequirement, StartFailed
from crosswind_local.lifecycle import LocalService
from crosswind_local.memory import DEFAULT_LIMIT

_port = click.option("--port", default=0, show_default="a free one", help="Port of 127.0.0.1.")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
@click.option("--debug", is_flag=True, help="Log every call to standard error.")
def main(debug: bool) -> None:
    """Cloud services on this machine, for their unmodified SDKs."""
    if debug:
        logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
        logging.getLogger("crosswind_local").setLevel(logging.DEBUG)


@main.command()
@_port
@_as_json
@click.option(
    "--memory",
    default=DEFAULT_LIMIT // 1024**2,
    show_default=True,
    type=click.IntRange(min=1),
    help="Messages held at most, in MiB.",
)
def pubsub(port: int, as_json: bool, memory: int) -> None:
    """Run Google Cloud Pub/Sub until interrupted."""
    # Imported here because it costs a third of a second, which --help need not pay.
    from crosswind_local.pubsub import PubSubEmulator

    service = PubSubEmulator(port=port, memory_limit=memory * 1024**2)
    _serve(service, as_json, lambda: service.inspection_url)


@main.command()
@_port
@_as_json
@click.option(
    "--ttl",
    multiple=True,
    metavar="GROUP=FIELD",
    help="Field with the time at which documents of a collection group expire; repeatable.",
)
@click.option(
    "--ttl-delay",
    default=0.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Seconds from the expiry of a document to its deletion.",
)
@click.option(
    "--memory",
    default=DEFAULT_LIMIT // 1024**2,
    show_default=True,
    type=click.IntRange(min=1),
    help="Documents held at most, in MiB.",
)
def firestore(
    port: int, as_json: bool, ttl: tuple[str, ...], ttl_delay: float, memory: int
) -> None:
    """Run Google Cloud Firestore until interrupted."""
    from crosswind_local.firestore import FirestoreEmulator, InvalidPolicy, read_policies

    try:
        service = FirestoreEmulator(
            port=port,
            ttl=read_policies(ttl),
            ttl_delay=ttl_delay,
            memory_limit=memory * 1024**2,
        )
    except InvalidPolicy as error:
        raise click.ClickException(str(error)) from error
    _serve(service, as_json, lambda: service.inspection_url)


@main.command()
@_port
@_as_json
@click.option(
    "--memory",
    default=DEFAULT_LIMIT // 1024**2,
    show_default=True,
    type=click.IntRange(min=1),
    help="Tasks held at most, in MiB.",
)
def tasks(port: int, as_json: bool, memory: int) -> None:
    """Run Google Cloud Tasks until interrupted."""
    from crosswind_local.tasks import HOW_TO_CONNECT, TasksEmulator

    service = TasksEmulator(port=port, memory_limit=memory * 1024**2)
    if not as_json:
        click.echo(HOW_TO_CONNECT, err=True)
    _serve(service, as_json, lambda: service.inspection_url)


@main.command()
@_port
@_as_json
@click.option(
    "--memory",
    default=256,
    show_default=True,
    type=click.IntRange(min=1),
    help="Contents held at most, in MiB.",
)
def azurite(port: int, as_json: bool, memory: int) -> None:
    """Run Azure Storage, as Azurite emulates it, until interrupted.

    The first time, it is fetched with the Node that runs it, which takes about a minute.
    """
    from crosswind_local.azurite import AzuriteEmulator

    service = AzuriteEmulator(
        port=port,
        memory_limit=memory * 1024**2,
        progress=lambda line: click.echo(line, err=True),
    )
    _serve(service, as_json, lambda: service.inspection_url)


@main.command()
@_port
@_as_json
def aws(port: int, as_json: bool) -> None:
    """Run AWS, as ministack emulates it, until interrupted.

    The first time, its environment is made, which takes about half a minute.
    """
    from crosswind_local.ministack import Ministack

    _serve(Ministack(port=port), as_json)


@main.command()
@_port
@_as_json
def moto(port: int, as_json: bool) -> None:
    """Run what moto has of AWS (SageMaker, Cost Explorer, ...) until interrupted.

    The first time, its environment is made, which takes about half a minute.
    """
    from crosswind_local.moto import Moto

    _serve(Moto(port=port), as_json)


@main.command()
@_port
@_as_json
@click.option(
    "--config",
    type=click.Path(dir_okay=False),
    help="Entities, in the official emulator's JSON.",
)
@click.option(
    "--memory",
    default=DEFAULT_LIMIT // 1024**2,
    show_default=True,
    type=click.IntRange(min=1),
    help="Messages held at most, in MiB.",
)
def servicebus(port: int, as_json: bool, config: str | None, memory: int) -> None:
    """Run Azure Service Bus until interrupted."""
    try:
        from crosswind_local.servicebus import InvalidConfiguration, ServiceBusEmulator
    except MissingRequirement as error:
        raise click.ClickException(str(error)) from error
    try:
        service = ServiceBusEmulator(port=port, config=config, memory_limit=memory * 1024**2)
    except InvalidConfiguration as error:
        raise click.ClickException(str(error)) from error
    _serve(service, as_json, lambda: service.inspection_url)


@main.command()
@click.argument("app", type=click.Path(exists=True))
@_port
@_as_json
@click.option(
    "--settings",
    type=click.Path(exists=True, dir_okay=False),
    help="App settings, instead of the app's own local.settings.json.",
)
@click.option(
    "--key", help="The access key of functions that are not anonymous.  [default: a new one]"
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to keep when timers were called, to know later what was missed.",
)
def functions(
    app: str, port: int, as_json: bool, settings: str | None, key: str | None, state: Path | None
) -> None:
    """Run the Azure function app in the folder or zip APP until interrupted.

    Environment variables are app settings, and win over those of the settings file. What the
    functions log and print goes to standard error.

    The first time, the environment of Azure's language worker is made, with a Python 3.13.
    """
    from crosswind_local.functions_host import FunctionsHost

    service = FunctionsHost(
        app,
        port=port,
        settings=settings,
        env=os.environ,
        key=key,
        state=state,
        show=lambda line: click.echo(line, err=True),
    )
    _serve(service, as_json, lambda: service.inspection_url)


def _serve(
    service: LocalService, as_json: bool, inspection: Callable[[], str] | None = None
) -> None:
    """Run a service until interrupted, and say how to reach it.

    `inspection`, asked once it runs, is where what it holds can be read.
    """
    from crosswind_local.memory import collect_rarely

    collect_rarely()
    stop = _interrupted()
    try:
        with service:
            url = inspection() if inspection is not None else None
            if as_json:
                click.echo(json.dumps(service.env | ({"inspection": url} if url else {})))
            else:
                for name, value in service.env.items():
                    click.echo(f"{name}={value}")
                if url:
                    click.echo(f"Inspect at {url}", err=True)
            stop.wait()
    except (StartFailed, MissingRequirement) as error:
        raise click.ClickException(str(error)) from error


def _interrupted() -> threading.Event:
    """An event that is set when the process is asked to end."""
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    return stop


if __name__ == "__main__":
    main()
