"""How long the model-based suites run: some seconds, or for as many steps as one asks for.

    CROSSWIND_MODEL_STEPS=10000 pytest tests/unit/local -k model

then each machine makes at least so many steps.
"""

import os

from hypothesis import HealthCheck, Phase, settings

VARIABLE = "CROSSWIND_MODEL_STEPS"

_LONG = 100
_SHARE = 0.8
"""Of the steps that an example may have, those that it makes on the average, or fewer."""


def model_settings(*, examples: int, steps: int) -> settings:
    """The settings of a machine that by default runs so many examples of so many steps at most."""
    asked = os.environ.get(VARIABLE)
    if asked is None:
        return settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    return settings(
        max_examples=int(int(asked) / (_LONG * _SHARE)) + 1,
        stateful_step_count=_LONG,
        deadline=None,
        # What was found before is looked for by every other run.
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow],
    )
