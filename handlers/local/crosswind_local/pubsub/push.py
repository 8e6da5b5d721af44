"""Push delivery: one pump for each subscription that has an endpoint.

"Push subscriptions", https://cloud.google.com/pubsub/docs/push: without a retry policy the whole
subscription backs off after failures, from 100 milliseconds up to 60 seconds; with one, each
message waits for itself. Requests are made by a pool of threads that all subscriptions share;
while there is nothing to push, nothing runs.
"""

import http.client
import logging
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from crosswind_local.identities import Identities
from crosswind_local.pubsub.broker import Broker
from crosswind_local.pubsub.deliveries import Consumer, Lease
from crosswind_local.pubsub.push_requests import ACKNOWLEDGING, PushRequest, shape
from crosswind_local.pubsub.subscriptions import Subscription

LOG = logging.getLogger(__name__)

THREADS = 16
WINDOW = 8
"""How many requests of one subscription are under way at most."""

LEAST_BACKOFF = 0.1
MOST_BACKOFF = 60.0
USER_AGENT = "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"


class Backoff:
    """The pause of a whole subscription after failures. Times are seconds."""

    def __init__(self) -> None:
        self._delay = 0.0
        self.until = 0.0

    def failed(self, now: float) -> None:
        """Pause, twice as long as the last time. Failures during a pause count once."""
        if now >= self.until:
            self._delay = min(MOST_BACKOFF, self._delay * 2 or LEAST_BACKOFF)
            self.until = now + self._delay

    def succeeded(self) -> None:
        """Begin anew."""
        self._delay = self.until = 0.0


class Pusher:
    """Pushes for every subscription that asks for it."""

    def __init__(self, broker: Broker, identities: Identities) -> None:
        self._broker = broker
        self._identities = identities
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="local-pubsub-push")
        self._pumps: dict[str, _Pump] = {}

    def attend(self, subscription: Subscription) -> None:
        """Push, or cease to push, as the subscription's configuration now says."""
        with self._broker.lock:
            pump = self._pumps.get(subscription.name)
            if pump is None or pump.subscription is not subscription:
                if not subscription.push_endpoint:
                    return
                pump = self._pumps[subscription.name] = _Pump(
                    self._broker, subscription, self._pool, self._identities
                )
                subscription.on_change = pump.run
            pump.run()

    def stop(self) -> None:
        """Begin no more requests; those under way end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class _Pump:
    """The pushes of one subscription. Its state is guarded by the broker's lock."""

    def __init__(
        self,
        broker: Broker,
        subscription: Subscription,
        pool: ThreadPoolExecutor,
        identities: Identities,
    ) -> None:
        self.subscription = subscription
        self._broker = broker
        self._pool = pool
        self._identities = identities
        self._under_way = 0
        self._backoff = Backoff()
        self._waking = False
        self._running = False

    def run(self) -> None:
        """Begin as many pushes as may be. Called with the lock held."""
        if self._running:
            return  # Taking a message stirs the subscription, which calls here again.
        self._running = True
        try:
            while self._begin_one():
                pass
        finally:
            self._running = False

    def _begin_one(self) -> bool:
        subscription, broker = self.subscription, self._broker
        now = broker.clock.now()
        if broker.closed or subscription.deleted or not subscription.push_endpoint:
            return False
        if now < self._backoff.until:
            self._wake_at(self._backoff.until)
            return False
        if self._under_way >= WINDOW:
            return False
        # A consumer of its own for each push: so one message of a key is under way at a time.
        consumer = Consumer()
        subscription.backlog.admit(consumer)
        leases = subscription.backlog.take(consumer, now, most=1, most_bytes=0)
        subscription.backlog.leave(consumer)
        if not leases:
            return False
        lease = leases[0]
        request = shape(subscription.resource, lease.entry.message, lease.attempt)
        timeout = subscription.backlog.policy.ack_deadline
        self._under_way += 1
        self._pool.submit(self._push, lease, request, timeout)
        subscription.stir()
        return True

    def _push(self, lease: Lease, request: PushRequest, timeout: float) -> None:
        accepted = False
        try:
            status = _post(request, self._headers(request), timeout)
            accepted = status in ACKNOWLEDGING
            LOG.debug("pushed to %s: %s", request.endpoint, status)
        except (OSError, http.client.HTTPException) as error:
            LOG.debug("could not push to %s: %s", request.endpoint, error)
        except Exception:
            # A fault of ours in a thread of a pool would be heard of by nobody.
            LOG.exception("a push to %s failed", request.endpoint)
        with self._broker.lock:
            self._under_way -= 1
            now, backlog = self._broker.clock.now(), self.subscription.backlog
            if accepted:
                self._backoff.succeeded()
                backlog.acknowledge([lease.ack_id], now)
            else:
                if backlog.policy.retry is None:
                    self._backoff.failed(now)
                backlog.extend([lease.ack_id], 0, now)
            self.subscription.stir()

    def _headers(self, request: PushRequest) -> dict[str, str]:
        headers = {**request.headers, "User-Agent": USER_AGENT}
        if request.bearer is not None:
            headers["Authorization"] = f"Bearer {self._identities.id_token(*request.bearer)}"
        return headers

    def _wake_at(self, when: float) -> None:
        if not self._waking:
            self._waking = True
            self._broker.clock.call_at(when, self._woken)

    def _woken(self) -> None:
        with self._broker.lock:
            self._waking = False
            self.run()


def _post(request: PushRequest, headers: dict[str, str], timeout: float) -> int:
    """Make the request and return its status. Redirects are not followed."""
    url = urlsplit(request.endpoint)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.netloc, timeout=timeout)
    try:
        target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
        connection.request("POST", target, request.body, headers)
        response = connection.getresponse()
        response.read(64 * 1024)
        return response.status
    finally:
        connection.close()
