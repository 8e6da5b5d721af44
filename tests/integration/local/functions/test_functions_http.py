"""Functions that are called over HTTP, under the real language worker."""

import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crosswind_local import ManualClock
from crosswind_local.functions_host import FunctionsHost
from crosswind_local.pytest_plugin import FunctionsApp
from integration.local.functions.conftest import HEAD, AppFolder
from integration.local.functions.desk import call, eventually

SOURCE = (
    HEAD
    + """
import json, os, sys, threading, time

blueprint = func.Blueprint()
together = threading.Barrier(4)


@app.route(route="echo/{kind:alpha}/{id:int?}", auth_level=func.AuthLevel.ANONYMOUS)
def echo(req: func.HttpRequest) -> func.HttpResponse:
    told = {
        "method": req.method,
        "url": req.url,
        "route": dict(req.route_params),
        "params": dict(req.params),
        "header": req.headers.get("X-Given"),
        "body": req.get_body().decode(),
        "python": list(sys.version_info[:2]),
        "setting": os.environ.get("GIVEN"),
        "secret": os.environ.get("CROSSWIND_SECRET"),
        "cwd": os.getcwd(),
    }
    return func.HttpResponse(json.dumps(told), status_code=201, mimetype="application/json")


@app.route(auth_level=func.AuthLevel.ANONYMOUS, methods=["POST"])
async def only_post(req: func.HttpRequest) -> str:
    return "posted"


@blueprint.route(route="secret")
def secret(req: func.HttpRequest) -> str:
    return "opened"


@app.route(route="fail", auth_level=func.AuthLevel.ANONYMOUS)
def fail(req: func.HttpRequest) -> str:
    logging.getLogger("ops").warning("about to fail")
    print("this was printed")
    raise LookupError("nothing there")


@app.route(route="wait", auth_level=func.AuthLevel.ANONYMOUS)
def wait(req: func.HttpRequest) -> str:
    together.wait(60)
    return "together"


@app.route(route="sleep", auth_level=func.AuthLevel.ANONYMOUS)
def sleep(req: func.HttpRequest) -> str:
    logging.info("asleep")
    time.sleep(600)
    return "slept"


@app.route(route="die", auth_level=func.AuthLevel.ANONYMOUS)
def die(req: func.HttpRequest) -> str:
    os._exit(7)


@app.route(route="cookies", auth_level=func.AuthLevel.ANONYMOUS)
def cookies(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse(b"\\x00\\xff", mimetype="application/octet-stream")
    response.headers.add("Set-Cookie", "a=1; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax")
    response.headers.add("Set-Cookie", "b=2; Expires=Thu, 12 Jan 2034 13:55:08 GMT")
    return response


app.register_functions(blueprint)
"""
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("http") / "app"
    folder.mkdir()
    (folder / "function_app.py").write_text(SOURCE)
    (folder / "host.json").write_text('{"version": "2.0"}')
    (folder / "local.settings.json").write_text('{"Values": {"GIVEN": "by the file"}}')
    return folder


@pytest.fixture(scope="module")
def host(folder: Path) -> Iterator[FunctionsHost]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("CROSSWIND_SECRET", "hunter2")
        with FunctionsHost(folder) as host:
            yield host


def test_a_request_reaches_the_function_as_it_was_made(host: FunctionsHost, folder: Path) -> None:
    answer = call(host, "/api/echo/x/7?a=1&a=2&b=", "PUT", "ü", {"X-Given": "yes"})

    assert answer.status == 201
    assert answer.header("content-type") == ["application/json"]
    assert answer.json() == {
        "method": "PUT",
        "url": f"{host.url}/api/echo/x/7?a=1&a=2&b=",
        "route": {"kind": "x", "id": "7"},
        "params": {"a": "1,2"},
        "header": "yes",
        "body": "ü",
        "python": [3, 13],
        "setting": "by the file",
        "secret": None,
        "cwd": str(folder),
    }


def test_the_folder_of_the_app_stays_as_it_is(host: FunctionsHost, folder: Path) -> None:
    call(host, "/api/echo/x")

    names = {path.name for path in folder.iterdir()}
    assert names == {"function_app.py", "host.json", "local.settings.json"}


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/api/only_post", "POST", 200),
        ("/api/only_post", "GET", 404),
        ("/api/echo/7", "GET", 404),
        ("/echo/x", "GET", 404),
        ("/api/nothing", "GET", 404),
        ("/", "GET", 200),
    ],
)
def test_routes_and_methods_choose_the_function(
    host: FunctionsHost, path: str, method: str, status: int
) -> None:
    assert call(host, path, method).status == status


def test_what_is_not_anonymous_needs_the_key(host: FunctionsHost) -> None:
    assert call(host, "/api/secret").status == 401
    assert call(host, "/api/secret?code=guess").status == 401
    assert call(host, f"/api/secret?code={host.key}").body == b"opened"
    assert call(host, "/api/secret", headers={"x-functions-key": host.key}).status == 200


def test_a_failure_is_answered_with_500_and_told_with_its_stack(host: FunctionsHost) -> None:
    assert call(host, "/api/fail").status == 500

    assert "LookupError: nothing there" in host.log()
    assert 'function_app.py", line' in host.log()
    last = next(one for one in reversed(host.invocations()) if one["function"] == "fail")
    assert f"[warning] about to fail (Id={last['id']})" in host.log()
    assert last["error"] == "LookupError: nothing there"
    eventually(lambda: "this was printed" in host.log())


def test_calls_run_at_the_same_time(host: FunctionsHost) -> None:
    bodies: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: bodies.append(call(host, "/api/wait").body))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert bodies == [b"together"] * 4


def test_cookies_and_bytes_are_answered(host: FunctionsHost) -> None:
    answer = call(host, "/api/cookies")

    assert answer.body == b"\x00\xff"
    assert answer.header("set-cookie") == [
        "a=1; path=/; max-age=60; secure; httponly; samesite=lax",
        "b=2; expires=Thu, 12 Jan 2034 13:55:08 GMT",
    ]


def test_a_worker_that_dies_in_a_call_is_begun_anew(host: FunctionsHost) -> None:
    before = host.pid

    assert call(host, "/api/die").status == 500

    assert call(host, "/api/only_post", "POST").body == b"posted"
    assert host.pid != before
    assert "the worker ended with status 7" in host.log()


def test_a_body_without_its_length_is_refused(host: FunctionsHost) -> None:
    answer = call(host, "/api/echo/x", "POST", headers={"Transfer-Encoding": "chunked"})

    assert answer.status == 411


def test_what_it_does_can_be_looked_into(host: FunctionsHost) -> None:
    import json
    import urllib.request

    call(host, "/api/only_post", "POST")
    with urllib.request.urlopen(host.inspection_url) as response:
        state = json.load(response)
    with urllib.request.urlopen(f"{host.inspection_url}invocations") as response:
        invocations = json.load(response)

    assert state["worker"]["pid"] == host.pid
    assert state["functions"]["only_post"]["trigger"] == "http"
    assert state["functions"]["only_post"]["invocations"]["succeeded"] >= 1
    assert state["in_flight"] == []
    assert invocations[-1]["function"] == "only_post"


def test_administration_needs_the_key_and_tells_the_functions(host: FunctionsHost) -> None:
    assert call(host, "/admin/host/status").status == 401

    status = call(host, f"/admin/host/status?code={host.key}").json()
    assert status["state"] == "Running"
    assert "echo" in status["functions"]
    assert call(host, f"/admin/functions/echo?code={host.key}", "POST", {}).status == 400
    assert call(host, f"/admin/functions/none?code={host.key}", "POST", {}).status == 404


def test_a_call_that_takes_too_long_ends_the_worker(
    folder: Path, tmp_path: Path, functions_app: FunctionsApp
) -> None:
    limited = tmp_path / "limited"
    limited.mkdir()
    (limited / "function_app.py").write_text(SOURCE)
    (limited / "host.json").write_text('{"version": "2.0", "functionTimeout": "00:05:00"}')
    clock = ManualClock()
    host = functions_app(limited, clock=clock)
    before = host.pid
    statuses: list[int] = []
    sleeper = threading.Thread(target=lambda: statuses.append(call(host, "/api/sleep").status))
    sleeper.start()
    eventually(lambda: "asleep" in host.log())
    assert host.report()["in_flight"]

    clock.advance(299)
    assert host.pid == before
    clock.advance(1)
    sleeper.join()

    assert statuses == [500]
    assert "took longer than functionTimeout, 300 s" in host.log()
    assert call(host, "/api/only_post", "POST").body == b"posted"
    assert host.pid != before


def test_the_route_prefix_is_that_of_host_json(
    app_folder: AppFolder, functions_app: FunctionsApp
) -> None:
    folder = app_folder(
        """
        @app.route(route="plain", auth_level="anonymous")
        def plain(req: func.HttpRequest) -> str:
            return "plain"
        """,
        extensions={"http": {"routePrefix": ""}},
    )

    assert call(functions_app(folder), "/plain").body == b"plain"


def test_a_zip_runs_with_the_packages_that_it_brings(
    app_folder: AppFolder, tmp_path: Path, functions_app: FunctionsApp
) -> None:
    folder = app_folder(
        """
        import brought

        @app.route(route="who", auth_level="anonymous")
        def who(req: func.HttpRequest) -> str:
            return brought.NAME
        """
    )
    packages = folder / ".python_packages" / "lib" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "brought.py").write_text("NAME = 'brought along'\n")
    archive = tmp_path / "app.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        for file in folder.rglob("*"):
            writer.write(file, file.relative_to(folder))

    assert call(functions_app(archive), "/api/who").body == b"brought along"
