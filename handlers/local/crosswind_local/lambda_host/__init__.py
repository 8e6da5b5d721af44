"""AWS Lambda on a laptop: a function under AWS's own runtime client, `awslambdaric`.

    host           one function: start, invoke, kill, stop; a new sandbox where the last one died
    sandbox        one process of the function, with the Runtime API that it asks for work
    runtime_api    that API, over HTTP

    with LambdaHost("ops.handler", Path("build")) as function:
        answer = function.invoke({"Records": []})

The interpreter that runs the function must have `awslambdaric`; this one need not.
"""

from crosswind_local.lambda_host.bootstrap import bootstrap
from crosswind_local.lambda_host.host import LambdaHost
from crosswind_local.lambda_host.sandbox import Answer

__all__ = ["Answer", "LambdaHost", "bootstrap"]
