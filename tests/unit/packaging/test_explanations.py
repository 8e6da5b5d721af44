"""What uv says, as a person is told it."""

from __future__ import annotations

from crosswind.packaging.resolution import _explained

# As uv drew it until 0.9, with a cross and a frame.
OLD = """\
warning: The requested Python version 3.13 is not available
  \u00d7 No solution found when resolving dependencies:
  ╰─▶ Because a==1 depends on b>=2 and you require b==1, we can conclude that
      your requirements are unsatisfiable.
"""
NEW = """\
error: No solution found when resolving dependencies
  cause: Because a==1 depends on b>=2 and you require b==1, we can conclude that
         your requirements are unsatisfiable.

hint: try this
"""


def test_frames_warnings_and_hints_are_taken_off() -> None:
    words = "Because a==1 depends on b>=2 and you require b==1, we can conclude that your"
    for said in (OLD, NEW):
        assert words in _explained(said)
        assert "warning" not in _explained(said)
        assert "hint" not in _explained(said)


def test_a_password_in_an_address_is_never_shown() -> None:
    said = "error: Failed to fetch: https://user:word@packages.example.com/simple/six/"
    assert _explained(said) == "error: Failed to fetch: https://packages.example.com/simple/six/"
