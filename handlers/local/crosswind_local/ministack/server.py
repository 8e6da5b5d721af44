"""ministack as one thing: start it, point the SDK at it, stop it."""

from pathlib import Path

from crosswind_local.accounts import ACCOUNT, REGION, sdk_env
from crosswind_local.launcher import FUNCTION_CLOCK
from crosswind_local.servers import HostedServer, plain_environ


class Ministack(HostedServer):
    """AWS on 127.0.0.1, in a process of its own.

        with Ministack() as aws:
            os.environ.update(aws.env)
            boto3.client("sqs").create_queue(QueueName="orders")

    All is kept in memory and gone once it stops. Functions run under this machine's interpreters;
    see `crosswind_local.lambda_host.bootstrap`.

    Args:
        port: to listen on; a free one unless given.
        moves_functions: whether the clock of functions of Python runtimes moves with its own, which
            otherwise is real; see `ministack/functions.py` for what follows it.
    """

    service = "ministack"
    health = "/_ministack/health"

    def __init__(self, *, port: int = 0, moves_functions: bool = False) -> None:
        super().__init__(port=port)
        self._moves_functions = moves_functions

    @property
    def requirements(self) -> Path:
        return Path(__file__).with_name("requirements.txt")

    @property
    def env(self) -> dict[str, str]:
        """What points every AWS SDK here."""
        return self.account(ACCOUNT)

    def account(self, account: str, region: str = REGION) -> dict[str, str]:
        """What points every AWS SDK to one account here, of 12 digits; each begins empty."""
        return sdk_env(self.url, account, region)

    def reset(self) -> None:
        """Empty every account.

        Raises:
            OSError: it does not answer.
        """
        self.call("POST", "/_ministack/reset")

    def environ(self, folder: Path, port: int) -> dict[str, str]:
        return {
            **plain_environ(folder),
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            # It would take a fixed port, which two of them cannot share.
            "IOT_MTLS_ENABLED": "0",
            **({FUNCTION_CLOCK: str(folder / "clock")} if self._moves_functions else {}),
        }
