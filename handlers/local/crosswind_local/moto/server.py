"""The server of moto as one thing: start it, point the SDK at it, stop it."""

from pathlib import Path

from crosswind_local.accounts import sdk_env
from crosswind_local.servers import HostedServer, plain_environ


class Moto(HostedServer):
    """AWS as moto knows it, on 127.0.0.1, in a process of its own.

        with Moto() as aws:
            os.environ.update(aws.env)
            boto3.client("sagemaker").list_endpoints()

    It has one account. All is kept in memory and gone once it stops.
    """

    service = "moto"
    health = "/moto-api/data.json"

    @property
    def requirements(self) -> Path:
        return Path(__file__).with_name("requirements.txt")

    @property
    def env(self) -> dict[str, str]:
        """What points every AWS SDK here."""
        return sdk_env(self.url)

    def reset(self) -> None:
        """Forget everything.

        Raises:
            OSError: it does not answer.
        """
        self.call("POST", "/moto-api/reset")

    def environ(self, folder: Path, port: int) -> dict[str, str]:
        return plain_environ(folder)
