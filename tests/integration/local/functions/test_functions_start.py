"""What keeps a function app from starting is told at the start, all of it, with what to do."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from crosswind_local import StartFailed
from crosswind_local.functions_host import FunctionsHost
from crosswind_local.pytest_plugin import FunctionsApp
from integration.local.functions.conftest import AppFolder
from integration.local.functions.desk import call, eventually

HELLO = """
    @app.route(route="hello", auth_level="anonymous")
    def hello(req: func.HttpRequest) -> str:
        logging.info("said hello")
        return "hello"
"""


def test_an_app_that_cannot_be_imported_shows_its_stack(app_folder: AppFolder) -> None:
    folder = app_folder("import nothing_of_the_kind")

    with pytest.raises(StartFailed) as failed:
        FunctionsHost(folder).start()

    assert "No module named 'nothing_of_the_kind'" in str(failed.value)
    assert 'function_app.py", line' in str(failed.value)


def test_a_function_whose_binding_does_not_fit_is_told(app_folder: AppFolder) -> None:
    folder = app_folder(
        """
        @app.timer_trigger(arg_name="timer", schedule="0 * * * * *")
        def tick(other: func.TimerRequest):
            pass
        """
    )

    with pytest.raises(StartFailed, match="cannot load the tick function"):
        FunctionsHost(folder).start()


def test_an_app_without_functions_is_told(app_folder: AppFolder) -> None:
    with pytest.raises(StartFailed, match="are its blueprints registered"):
        FunctionsHost(app_folder("")).start()


def test_every_binding_that_is_not_supported_is_told_at_once(app_folder: AppFolder) -> None:
    folder = app_folder(
        """
        @app.blob_trigger(arg_name="blob", path="in/{name}", connection="Storage")
        def on_blob(blob: func.InputStream):
            pass


        @app.timer_trigger(arg_name="timer", schedule="0 0 0 30 2 *")
        @app.queue_output(arg_name="out", queue_name="q", connection="Storage")
        def tick(timer: func.TimerRequest, out: func.Out[str]):
            pass


        @app.service_bus_queue_trigger(arg_name="order", queue_name="%NONE%", connection="Bus")
        def on_order(order: func.ServiceBusMessage):
            pass


        @app.timer_trigger(arg_name="timer", schedule="0 0 * * * *")
        @app.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:01")
        @app.service_bus_topic_output(arg_name="out", topic_name="{kind}", connection="Bus")
        def again(timer: func.TimerRequest, out: func.Out[str]):
            pass


        @app.event_grid_trigger(arg_name="event")
        @app.event_grid_output(
            arg_name="out", topic_endpoint_uri="Topic", topic_key_setting="Key"
        )
        def pass_on(event: func.EventGridEvent, out: func.Out[func.EventGridOutputEvent]):
            pass
        """
    )

    with pytest.raises(StartFailed) as failed:
        FunctionsHost(folder).start()

    for fault in (
        "on_blob: blobTrigger (in) is not one of httpTrigger",
        "tick: timerTrigger timer: '0 0 0 30 2 *' is never due",
        "tick: queue (out) is not one of http, serviceBus",
        "on_order: serviceBusTrigger order: set Bus to the connection string",
        "on_order: serviceBusTrigger order: %NONE% stands for a setting, and there is none",
        "again: serviceBus out: '{kind}' is to be filled in from the trigger",
        "again: a retry policy is not carried out here",
        "pass_on: eventGrid (out) is not one of",
    ):
        assert fault in str(failed.value)


def test_an_app_that_ends_its_process_is_told(app_folder: AppFolder) -> None:
    folder = app_folder("import os; print('giving up', flush=True); os._exit(5)")

    with pytest.raises(StartFailed) as failed:
        FunctionsHost(folder).start()

    assert "the worker ended with status 5: giving up" in str(failed.value)


def test_a_port_that_is_taken_is_told(app_folder: AppFolder) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(StartFailed, match=f"port {port} of 127.0.0.1 is taken"):
            FunctionsHost(app_folder(HELLO), port=port).start()


def test_when_it_stops_nothing_is_left(app_folder: AppFolder) -> None:
    host = FunctionsHost(app_folder(HELLO)).start()
    pid = host.pid
    assert pid is not None

    host.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{host.url}/api/hello")


def test_a_worker_whose_app_broke_meanwhile_is_begun_until_it_is_mended(
    app_folder: AppFolder, functions_app: FunctionsApp
) -> None:
    folder = app_folder(HELLO)
    host = functions_app(folder)
    source = (folder / "function_app.py").read_text()

    (folder / "function_app.py").write_text("raise RuntimeError('broken')\n")
    host.kill()
    eventually(lambda: "broken" in host.log())
    (folder / "function_app.py").write_text(source)

    assert call(host, "/api/hello").body == b"hello"


def test_the_command_runs_an_app_until_it_is_interrupted(app_folder: AppFolder) -> None:
    command = [sys.executable, "-m", "crosswind_local.cli", "functions", str(app_folder(HELLO))]
    with subprocess.Popen(
        [*command, "--json", "--key", "k"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        with urllib.request.urlopen(f"{told['FUNCTIONS_URL']}/api/hello") as response:
            assert response.read() == b"hello"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)

    assert process.returncode == 0
    assert told["FUNCTIONS_KEY"] == "k"
    assert "said hello (Id=" in said


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "crosswind_local.cli", "functions", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 1
    assert "function_app.py is missing" in done.stderr
    assert "Traceback" not in done.stderr
