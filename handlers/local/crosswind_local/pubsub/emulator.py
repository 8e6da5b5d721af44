"""The Pub/Sub emulator as one thing: start it, point the SDK at it, stop it."""

from crosswind_local.clock import Clock
from crosswind_local.memory import DEFAULT_LIMIT, Memory
from crosswind_local.pubsub.broker import Broker
from crosswind_local.pubsub.push import Pusher
from crosswind_local.pubsub.wire import Wire
from crosswind_local.token_issuer import TokenIssuer

CONNECTIONS = 1_000
"""How many calls may be open at once, streams and waiting pulls included."""


class PubSubEmulator(TokenIssuer):
    """Google Cloud Pub/Sub on 127.0.0.1, in this process.

        with PubSubEmulator() as pubsub:
            os.environ.update(pubsub.env)
            publisher = pubsub_v1.PublisherClient()

    Every project exists. All is kept in memory and gone once it stops.
    """

    def __init__(
        self, *, port: int = 0, clock: Clock | None = None, memory_limit: int = DEFAULT_LIMIT
    ) -> None:
        """Listen on `port`, or on a free one.

        `clock` is real time unless a test brings its own. `memory_limit` is in bytes of messages
        held, over all subscriptions; publishing beyond it is refused with RESOURCE_EXHAUSTED.
        """
        super().__init__(
            "pubsub", port=port, clock=clock, threads=CONNECTIONS, refuse_beyond=CONNECTIONS
        )
        self._broker = Broker(self.clock, Memory(memory_limit))
        self._pusher = Pusher(self._broker, self._identities)
        self._broker.on_configured = self._pusher.attend

    @property
    def env(self) -> dict[str, str]:
        """What points every Google Pub/Sub SDK here."""
        return {"PUBSUB_EMULATOR_HOST": self.address}

    def _held(self) -> dict[str, object]:
        """Topics, subscriptions with their counts, memory."""
        return self._broker.report()

    def forget(self, project: str) -> None:
        """Remove every topic and subscription of a project, given by its id."""
        self._broker.forget(f"projects/{project}")

    def _wire(self) -> Wire:
        return Wire(self._broker, self._calls)

    def _close(self) -> None:
        self._broker.close()
        self.clock.close()
        self._pusher.stop()
