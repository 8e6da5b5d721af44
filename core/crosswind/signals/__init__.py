"""Native cloud notifications become neutral events: what the three clouds share.

A cloud's own `signals` package says how its envelopes nest and what its notifications mean;
everything else is here: reading JSON from strangers within bounds, the forms of times and numbers,
ids that derive from native ids, and what a batch becomes when one record in it is bad.
"""

from __future__ import annotations

from .fields import Fields
from .identity import event_id, source
from .observation import Observation, Places, places
from .outcome import Ignored, SignalRejected, Translated
from .reading import MAX_BYTES
from .translation import Attributes, Batch, Inner, Opened, Payload, Translator

__all__ = [
    "MAX_BYTES",
    "Attributes",
    "Batch",
    "Fields",
    "Ignored",
    "Inner",
    "Observation",
    "Opened",
    "Payload",
    "Places",
    "SignalRejected",
    "Translated",
    "Translator",
    "event_id",
    "places",
    "source",
]
