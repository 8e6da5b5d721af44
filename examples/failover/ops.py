"""The app of the demonstration: the built-in failover, with times that fit in a minute.

In production the defaults are right: a lease of a minute, probes every half minute.
"""

from crosswind.chains.failover import failover_app
from crosswind.engine.settings import Settings

app = failover_app(probe_every=1.0)
app.settings = Settings(lease=3.0, skew=0.2, freeze_check=1.0, queue_check=1.0, wait=0.5)
