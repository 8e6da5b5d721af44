"""Functions on the clock of the emulator: what they take for the time is what it is there.

Run by the launcher in ministack's environment: it imports nothing of this package. The seconds that
were skipped stand in a file, which each function's process maps. Only functions of Python runtimes
follow it, by `time.time` and `time.time_ns`; what `datetime` or another language asks the system
for stays real, as monotonic time does, by which they wait.
"""

import importlib
import mmap
import struct
from collections.abc import Callable

_SECONDS = struct.Struct("d")

_PRELUDE = """
def _crosswind_clock():
    import mmap, struct, time

    with open({path!r}, "rb") as file:
        skipped = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    seconds = struct.Struct("d")
    real, real_ns = time.time, time.time_ns
    time.time = lambda: real() + seconds.unpack_from(skipped)[0]
    time.time_ns = lambda: real_ns() + int(seconds.unpack_from(skipped)[0] * 1e9)

_crosswind_clock()
del _crosswind_clock
"""


def install(path: str) -> Callable[[float], None]:
    """Have every function that begins from now on follow a file.

    Args:
        path: of the file, which is made.

    Returns:
        What tells them how many seconds were skipped.

    Raises:
        SystemExit: this ministack is not the one that this was written for; says what differs.
    """
    runtime = importlib.import_module("ministack.core.lambda_runtime")
    script = getattr(runtime, "_PYTHON_WORKER_SCRIPT", None)
    if not isinstance(script, str) or runtime._detect_runtime_binary("python3.12")[1] is not script:
        raise SystemExit("ministack.core.lambda_runtime has no worker script: another version?")
    with open(path, "w+b") as file:
        file.write(_SECONDS.pack(0.0))
        file.flush()
        shared = mmap.mmap(file.fileno(), _SECONDS.size)
    runtime.__dict__["_PYTHON_WORKER_SCRIPT"] = _PRELUDE.format(path=path) + script

    def skip(seconds: float) -> None:
        _SECONDS.pack_into(shared, 0, seconds)

    return skip
