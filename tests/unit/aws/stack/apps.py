"""Small apps to deploy."""

from __future__ import annotations

from crosswind import App, Context, Event
from crosswind.actions import Action, Answer
from crosswind.chains.apply import apply_app
from crosswind.chains.failover import failover_app
from crosswind.handlers import Where
from crosswind.operations.endpoints import EndpointStatus, ScaleEndpoint
from crosswind.operations.notification import Notify
from crosswind.operations.traffic import SetWeights
from crosswind_events import RegionUnhealthy
from crosswind_events.catalogue.region import RegionRecovered
from crosswind_events.catalogue.schedule import Tick


class Purged(Answer):
    """Nothing is said of it."""


class Purge(Action[Purged], kind="cache.purge"):
    """A kind of action that Crosswind does not know."""


def ops() -> App:
    """Three groups: one that acts, one that tells, and one that is run by the clock."""
    app = App("ops")

    @app.on(name="move", reads=[EndpointStatus], acts=[ScaleEndpoint, SetWeights])
    def move(event: Event[RegionUnhealthy], ctx: Context) -> None: ...

    @app.on(name="tell", acts=[Notify], group="desk", where=Where("aws/"))
    def tell(event: Event[RegionRecovered], ctx: Context) -> None: ...

    @app.schedule(every=30.0, name="look", group="clock")
    def look(event: Event[Tick], ctx: Context) -> None: ...

    @app.schedule("0 2 * * MON-FRI", tz="Europe/Vienna", name="nightly", group="clock")
    def nightly(event: Event[Tick], ctx: Context) -> None: ...

    return app


def everything() -> App:
    """All chains that are built in, and the groups of `ops`, in one app."""
    app = App("everything")
    app.include(failover_app(probe_every=30.0))
    app.include(apply_app())
    app.include(ops())
    return app


def purging() -> App:
    """An app with a kind of action of its own."""
    app = App("purging")

    @app.on(name="purge", acts=[Purge])
    def purge(event: Event[RegionUnhealthy], ctx: Context) -> None: ...

    return app
