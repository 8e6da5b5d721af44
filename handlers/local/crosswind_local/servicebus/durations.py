"""ISO 8601 durations, as entity descriptions state them: PT1M, P1DT12H.

Read as .NET's XmlConvert.ToTimeSpan does, which the service uses: a year has 365 days and a month
30. XML Schema, part 2, section 3.2.6.
"""

import re

_DURATION = re.compile(
    r"P(?:(?P<years>\d{1,9})Y)?(?:(?P<months>\d{1,9})M)?(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,9})?)S)?)?",
    re.ASCII,
)
_SECONDS = {
    "years": 365 * 86_400,
    "months": 30 * 86_400,
    "days": 86_400,
    "hours": 3_600,
    "minutes": 60,
    "seconds": 1,
}


def parse(text: str) -> float:
    """The seconds of a duration.

    Raises:
        ValueError: it is none.
    """
    match = _DURATION.fullmatch(text)
    parts = match.groupdict() if match is not None else {}
    given = {name: float(value) for name, value in parts.items() if value is not None}
    if not given or text.endswith("T"):
        raise ValueError(f"{text!r} is not an ISO 8601 duration such as PT1M or P1DT12H")
    return sum(_SECONDS[name] * value for name, value in given.items())
