"""Compiles modules for whoever runs this: a program for the interpreter of a target.

It imports nothing of Crosswind, for it runs where Crosswind is not installed. It reads a job as
JSON, `{"folder", "out", "mount", "files"}`, and answers with `{path: error}` for what does not
compile.

Each file is compiled in a process of its own, forked from one that has compiled nothing: which
constants a code object shares with others depends on what was compiled before, and shows in the
bytes. With PYTHONHASHSEED fixed by the caller, a file's bytecode then depends on the file and on
the interpreter alone.
"""

from __future__ import annotations

import json
import os
import py_compile
import sys

_MODE = py_compile.PycInvalidationMode.UNCHECKED_HASH


def main() -> None:
    """Work one job."""
    job = json.load(sys.stdin)
    files: list[str] = job["files"]
    # One process after the other for each core: forking costs less than a millisecond.
    cores = min(len(files), os.cpu_count() or 1)
    running: dict[int, tuple[str, int]] = {}
    errors: dict[str, str] = {}
    todo = list(reversed(files))
    while todo or running:
        while todo and len(running) < cores:
            path = todo.pop()
            process, said = _start(job, path)
            running[process] = (path, said)
        process, status = os.wait()
        path, said = running.pop(process)
        with os.fdopen(said, encoding="utf-8") as pipe:
            words = pipe.read()
        if status or words:
            errors[path] = words or f"the compiler ended with {status}"
    json.dump(errors, sys.stdout)


def _start(job: dict[str, str], path: str) -> tuple[int, int]:
    """Fork one compiler; the process, and where it says what is wrong."""
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    status = 1
    try:
        os.close(reading)
        with os.fdopen(writing, "w", encoding="utf-8") as pipe:
            pipe.write(_compile(job, path)[:4000])
        status = 0
    finally:
        os._exit(status)


def _compile(job: dict[str, str], path: str) -> str:
    """Compile one file; what is wrong with it."""
    folder, _, name = path.rpartition("/")
    tag = sys.implementation.cache_tag
    cached = os.path.join(job["out"], folder, "__pycache__", f"{name[:-3]}.{tag}.pyc")
    try:
        py_compile.compile(
            os.path.join(job["folder"], path),
            cfile=cached,
            dfile=f"{job['mount']}/{path}",
            doraise=True,
            optimize=0,
            invalidation_mode=_MODE,
        )
    except (py_compile.PyCompileError, ValueError, RecursionError) as error:
        return str(error).strip() or type(error).__name__
    return ""


if __name__ == "__main__":
    main()
