"""Objects of the user's own code, named as `module:attribute`."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from crosswind.cli.faults import Failure

if TYPE_CHECKING:
    from crosswind.actions import Performer
    from crosswind.app import App


def load_app(name: str) -> App:
    """The app of this name, or what a factory of this name makes.

    Raises:
        Failure: says what is wrong.
    """
    from crosswind.app import App

    found = _called(name, _load(name, "--app"))
    if not isinstance(found, App):
        raise Failure(f"--app {name} is {type(found).__name__}; name an App or what makes one")
    return found


def load_performers(name: str) -> tuple[Performer, ...]:
    """The performers of this name: one, several, or what a factory makes.

    Raises:
        Failure: says what is wrong.
    """
    found = _load(name, "--performers")
    if isinstance(found, type) or not (_performs(found) or isinstance(found, Iterable)):
        found = _called(name, found)
    several = [found] if _performs(found) else found
    if not isinstance(several, Iterable):
        raise Failure(f"--performers {name} is {type(found).__name__}, and no list of performers")
    performers = tuple(several)
    for one in performers:
        if not _performs(one):
            raise Failure(
                f"--performers {name} holds {type(one).__name__}, which is no performer: it needs "
                "performs, answers, perform() and answer()"
            )
    return performers


def _performs(found: Any) -> bool:
    names = ("performs", "answers", "perform", "answer")
    return not isinstance(found, type) and all(hasattr(found, name) for name in names)


def _called(name: str, found: Any) -> Any:
    from crosswind.app import App
    from crosswind.errors import CrosswindError

    if isinstance(found, App) or not callable(found):
        return found
    try:
        return found()
    except CrosswindError:
        raise
    except Exception as error:
        raise Failure(f"{name}() failed: {type(error).__name__}: {error}") from error


def _load(name: str, option: str) -> Any:
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise Failure(f"{option} {name}: write it as module:attribute, such as ops.chains:app")
    # As `python -m` does: code in the working folder is found, the installed command or not.
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    found = _imported(module, option)
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise Failure(f"{option} {name}: module {module} has no {part}") from None
    return found


def _imported(module: str, option: str) -> Any:
    from crosswind.errors import CrosswindError

    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(error.name + ".")):
            raise Failure(
                f"{option}: there is no module {module}; it is looked for in {os.getcwd()} and "
                "among what is installed"
            ) from error
        raise Failure(f"{option}: importing {module} failed: {error}") from error
    except CrosswindError:
        raise
    except Exception as error:
        raise Failure(
            f"{option}: importing {module} failed: {type(error).__name__}: {error}; "
            "--debug shows where"
        ) from error
