"""Routes of HTTP triggers: templates with parameters, constraints, defaults and a catch-all.

Source: learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger
#customize-the-http-endpoint and learn.microsoft.com/aspnet/core/fundamentals/routing.
"""

import re
from urllib.parse import unquote

_PART = re.compile(r"\{(\*{0,2})([A-Za-z_]\w*)((?::[^{}:=?]+)*)(=[^{}]*)?(\?)?\}")

CONSTRAINTS = {
    "int": r"-?\d+",
    "long": r"-?\d+",
    "bool": r"(?i:true|false)",
    "alpha": r"[A-Za-z]+",
    "guid": r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
    "decimal": r"-?\d+(?:\.\d+)?",
    "double": r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?",
    "float": r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?",
}
"""The constraints that are enforced, each as what a value must look like."""


class InvalidRoute(ValueError):
    """A template that is none, or asks for a constraint that there is not."""


class Route:
    """A template, such as `products/{category:alpha}/{id:int?}`."""

    def __init__(self, template: str) -> None:
        """Read a template.

        Raises:
            InvalidRoute: it cannot be.
        """
        self.template = template
        self.literals = 0
        """How many of its segments are plain text: the more, the sooner it is tried."""
        self._defaults: dict[str, str] = {}
        pattern = "".join(self._segment(part) for part in template.split("/") if part)
        self._pattern = re.compile(pattern + r"/?\Z", re.IGNORECASE)

    def match(self, path: str) -> dict[str, str] | None:
        """The parameters in a path that begins with a slash; None where it does not match."""
        found = self._pattern.match(path)
        if found is None:
            return None
        given = {name: unquote(value) for name, value in found.groupdict().items() if value}
        return {**self._defaults, **given}

    def _segment(self, segment: str) -> str:
        if "{" not in segment:
            self.literals += 1
            return "/" + re.escape(segment)
        whole = _PART.fullmatch(segment)
        if whole is not None and (whole[1] or whole[4] or whole[5]):
            # What may be absent takes its slash with it.
            return f"(?:/{self._parameter(whole)})?"
        pattern, end = "", 0
        for part in _PART.finditer(segment):
            pattern += re.escape(segment[end : part.start()]) + self._parameter(part)
            end = part.end()
        rest = segment[end:]
        if "{" in rest or "}" in rest:
            raise InvalidRoute(f"the route {self.template!r} has a brace that does not belong")
        return "/" + pattern + re.escape(rest)

    def _parameter(self, part: re.Match[str]) -> str:
        stars, name, constraints, default, _ = part.groups()
        if default:
            self._defaults[name] = default[1:]
        if stars:
            return f"(?P<{name}>.*)"
        wanted = [constraint for constraint in constraints.split(":") if constraint]
        unknown = [constraint for constraint in wanted if constraint not in CONSTRAINTS]
        if unknown:
            raise InvalidRoute(
                f"the route {self.template!r} has the constraint {unknown[0]!r}; there are "
                f"{', '.join(sorted(CONSTRAINTS))}"
            )
        ahead = "".join(f"(?={CONSTRAINTS[constraint]}(?:/|\\Z))" for constraint in wanted)
        return f"{ahead}(?P<{name}>[^/]+?)" if not wanted else f"{ahead}(?P<{name}>[^/]+)"
