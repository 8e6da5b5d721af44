"""Declarations: what is wrong with a handler, an action or an app is said when it is declared."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from crosswind.actions import Action, Answer, Query
from crosswind.app import App
from crosswind.context import Context
from crosswind.emissions import Branch, Later, Start, branch, later, start
from crosswind.engine.runtime import Runtime
from crosswind.engine.settings import Settings
from crosswind.errors import DeclarationError
from crosswind.handlers import Emits, Where, signature
from crosswind_events import Event, EventData
from crosswind_events.catalogue.schedule import Tick

from .stage import Stage
from .world import Asked, Heard, Over, Plant, ReadGauge, Set, SetValve


def refused(advice: str) -> Any:
    return pytest.raises(DeclarationError, match=advice)


class TestSignatures:
    """The event type comes from the parameter, the emitted types from the return annotation."""

    def test_one_type_is_taken_and_one_given(self) -> None:
        def hear(event: Event[Asked]) -> Heard:
            return Heard()

        assert signature(hear) == ((Asked,), (Emits(Heard, "next"),), False)

    def test_a_union_takes_several_types(self) -> None:
        def hear(event: Event[Asked | Heard], ctx: Context) -> None:
            pass

        assert signature(hear) == ((Asked, Heard), (), True)

    def test_what_an_iterator_gives_is_told_by_the_way_it_goes_out(self) -> None:
        def hear(
            event: Event[Asked],
        ) -> Iterator[Over | Later[Heard] | Branch[Asked] | Start[Asked] | None]:
            yield later(Heard(), 1)
            yield branch(Asked(), join="j", member="m")
            yield start(Asked())

        assert signature(hear).emits == (
            Emits(Over, "next"),
            Emits(Heard, "later"),
            Emits(Asked, "branch"),
            Emits(Asked, "start"),
        )

    @pytest.mark.parametrize(
        "given", [list[Heard], tuple[Heard, ...], Iterator[Heard], Generator[Heard, None, None]]
    )
    def test_any_way_to_give_several_will_do(self, given: Any) -> None:
        def hear(event: Any) -> Any:
            return ()

        hear.__annotations__ = {"event": Event[Asked], "return": given | None}
        assert signature(hear).emits == (Emits(Heard, "next"),)

    def test_an_annotation_that_cannot_be_resolved(self) -> None:
        def hear(event: Event[Nowhere]) -> None:  # type: ignore[name-defined]  # noqa: F821 - the point
            pass

        with refused("'Nowhere' is not defined.*define its types at module level"):
            signature(hear)

    def test_too_many_parameters(self) -> None:
        def hear(event: Event[Asked], ctx: Context, more: int) -> None:
            pass

        with refused(r"write it as def handler\(event: Event\[...\], ctx: Context\)"):
            signature(hear)

    def test_a_parameter_by_keyword_only(self) -> None:
        def hear(event: Event[Asked], *, ctx: Context) -> None:
            pass

        with refused("write it as def handler"):
            signature(hear)

    def test_a_first_parameter_that_is_no_event(self) -> None:
        def hear(event: Asked) -> None:
            pass

        with refused(r"annotate its first parameter as Event\[SomeEventData\]"):
            signature(hear)

    def test_a_second_parameter_that_is_no_context(self) -> None:
        def hear(event: Event[Asked], ctx: int) -> None:
            pass

        with refused("annotate its second parameter as Context"):
            signature(hear)

    def test_nothing_said_of_what_is_given(self) -> None:
        def hear(event: Event[Asked]):  # type: ignore[no-untyped-def]  # the point
            pass

        with refused("annotate what it returns: None, SomeEventData or Iterator"):
            signature(hear)

    def test_what_is_no_event_data(self) -> None:
        def hear(event: Event[Asked]) -> str:
            return ""

        with refused("<class 'str'> is not a class of event data"):
            signature(hear)

    def test_the_function_is_named_in_every_complaint(self) -> None:
        def hear(event: Event[Asked]) -> str:
            return ""

        with refused(r"test_declarations:.*hear: "):
            signature(hear)


class TestApps:
    @pytest.mark.parametrize("name", ["", "Ops", "1ops", "a b", "a" * 64])
    def test_a_name_that_cannot_be_part_of_a_source(self, name: str) -> None:
        with refused("use lower-case letters, digits and dashes, at most 63"):
            App(name)

    def test_two_handlers_of_one_name(self) -> None:
        app = App("twice")

        @app.on(name="hear")
        def first(event: Event[Asked]) -> None:
            pass

        with refused("two handlers are named hear; give one of them name="):

            @app.on(name="hear")
            def second(event: Event[Asked]) -> None:
                pass

    def test_a_name_that_another_has_had(self) -> None:
        app = App("twice")

        @app.on(name="listen", was=["hear"])
        def first(event: Event[Asked]) -> None:
            pass

        with refused("two handlers are named hear"):

            @app.on(name="attend", was=["hear"])
            def second(event: Event[Asked]) -> None:
                pass

    def test_two_classes_of_one_event_type(self) -> None:
        class Twin(EventData, type="com.example.asked.v1"):
            pass

        def hear(event: Any) -> None:
            pass

        app = App("twins")

        @app.on(name="first")
        def first(event: Event[Asked]) -> None:
            pass

        hear.__annotations__ = {"event": Event[Twin], "return": None}
        app.on(name="second")(hear)
        with refused("two classes are named com.example.asked.v1: Asked and .*Twin"):
            _ = app.codec

    def test_a_class_that_takes_the_name_of_one_of_ours(self) -> None:
        class Region(EventData, type="dev.crosswind.region.unhealthy.v1"):
            pass

        def hear(event: Any) -> None:
            pass

        hear.__annotations__ = {"event": Event[Region], "return": None}
        app = App("ours")
        app.on(name="hear")(hear)
        with refused("two classes are named dev.crosswind.region.unhealthy.v1: RegionUnhealthy"):
            _ = app.codec

    def test_an_app_is_composed_of_apps(self) -> None:
        inner, outer = App("inner", group="workers"), App("outer")

        @inner.on(name="hear")
        def hear(event: Event[Asked]) -> Heard:
            return Heard()

        @inner.schedule(every=60, name="look")
        def look(event: Event[Tick]) -> None:
            pass

        @outer.on(name="finish")
        def finish(event: Event[Heard]) -> None:
            pass

        outer.include(inner)
        outer.include(inner)
        assert [h.name for h in outer.handlers] == ["finish", "hear", "look"]
        assert outer.groups == ("outer", "workers")
        assert [s.name for s in outer.schedules] == ["look"]

    def test_a_handler_is_found_by_the_names_it_has_had(self) -> None:
        app = App("renamed")

        @app.on(name="listen", was=["attend", "hear"])
        def listen(event: Event[Asked]) -> None:
            pass

        found = app.handler("hear")
        assert found is not None
        assert (found.name, found.key_name) == ("listen", "hear")
        assert app.handler("nobody") is None

    def test_only_what_descends_from_it_ends_a_chain_and_not_what_it_starts(self) -> None:
        app = App("ends")

        @app.on(name="ask")
        def ask(event: Event[Asked]) -> Heard:
            return Heard()

        @app.on(name="end")
        def end(event: Event[Heard]) -> Over:
            return Over()

        @app.on(name="spark")
        def spark(event: Event[Tick]) -> Start[Asked]:
            return start(Asked())

        ends = {h.name: app.can_end(h) for h in app.handlers}
        assert ends == {"ask": True, "end": True, "spark": False}

    def test_the_digest_of_the_code_tells_versions_apart(self) -> None:
        def version(function: Callable[..., Any]) -> str:
            app = App("versions")
            app.on(name="hear")(function)
            return app.handlers[0].code

        def one(event: Event[Asked]) -> Heard:
            return Heard(text=",".join(str(n) for n in (1, 2)))

        def other(event: Event[Asked]) -> Heard:
            return Heard(text=",".join(str(n) for n in (1, 2, 3)))

        def nested(event: Event[Asked]) -> Heard:
            return Heard(text=";".join(str(n) for n in (1, 2)))

        assert version(one) == version(one)
        assert len({version(one), version(other), version(nested)}) == 3

    def test_a_name_too_long_for_the_events_of_its_runs(self) -> None:
        with refused("256"):

            @App("long").on(name="a" * 257)
            def hear(event: Event[Asked]) -> None:
                pass


class TestFilters:
    def test_a_filter_is_a_prefix_of_the_subject_and_equal_extensions(self) -> None:
        where = Where(subject="aws/", extensions=(("place", "aws"), ("canary", True)))
        stage = Stage(App("filters"))

        def event(subject: str | None, **extensions: str | int | bool) -> Event[Any]:
            return stage.event(Asked(), subject=subject, extensions=extensions)

        assert where.admits(event("aws/us-east-1", place="aws", canary=True))
        assert not where.admits(event("gcp/us-central1", place="aws", canary=True))
        assert not where.admits(event(None, place="aws", canary=True))
        assert not where.admits(event("aws/us-east-1", place="aws"))
        assert not where.admits(event("aws/us-east-1", place="aws", canary=1)), "1 is not True"


class TestSchedules:
    @pytest.mark.parametrize(
        ("when", "advice"),
        [
            ({}, "either a cron line or every=SECONDS"),
            ({"cron": "* * * * *", "every": 60}, "either a cron line or every=SECONDS"),
            ({"cron": "* * *"}, "does not have five fields"),
            ({"every": 0}, "positive number of seconds"),
        ],
    )
    def test_a_time_that_cannot_be(self, when: dict[str, Any], advice: str) -> None:
        with refused(advice):
            App("clock").schedule(**when)

    def test_a_handler_that_takes_something_else_than_ticks(self) -> None:
        with refused(r"look: a scheduled handler takes Event\[Tick\]"):

            @App("clock").schedule(every=60, name="look")
            def look(event: Event[Asked]) -> None:
                pass


class TestActions:
    @pytest.mark.parametrize("kind", ["", "Scale", "scale.", "scale up"])
    def test_a_kind_that_is_no_name(self, kind: str) -> None:
        with refused("is not of the form 'subject.verb' in lower case"):

            class Scale(Action[Set], kind=kind):
                pass

    def test_an_action_that_does_not_say_what_it_returns(self) -> None:
        with refused(r"write class Scale\(Action\[Result\]\)"):

            class Scale(Action, kind="endpoint.scale"):  # type: ignore[type-arg]  # the point
                pass

    def test_an_action_that_returns_an_event(self) -> None:
        with refused("Scale returns an event; return an Answer instead"):

            class Scale(Action[Heard], kind="endpoint.scale"):
                pass

    def test_a_base_of_kinds_needs_no_kind_of_its_own(self) -> None:
        class OnValve(Action[Set]):
            level: int = 0

        class Close(OnValve, kind="valve.close"):
            pass

        assert (OnValve.kind, Close.kind, Close.returns) == ("", "valve.close", Set)

    def test_an_action_that_cannot_be_simulated_says_so_when_it_would_be(self) -> None:
        class Close(Action[Set], kind="valve.close"):
            pass

        with refused(r"Close cannot be simulated; define assumed\(\) to let it be observed"):
            Close().assumed()

    def test_unless_it_says_otherwise_an_action_is_about_all_and_limited_by_nothing(self) -> None:
        class Close(Action[Set], kind="valve.close"):
            level: int = 2

        close = Close()
        assert (close.concerns(), close.covered_by(), dict(close.effects())) == (None, None, {})
        assert close.question() == {"level": 2}
        assert close.summary() == "valve.close(level=2)"

    def test_an_answer_that_would_hold_a_secret(self) -> None:
        with pytest.raises(TypeError, match="would carry a secret"):

            class Key(Answer):
                value: SecretStr


class TestSettings:
    def test_a_lease_that_the_skew_would_use_up(self) -> None:
        with refused("lease=10 must be more than twice skew=5"):
            Settings(lease=10, skew=5)

    def test_no_attempt_at_all(self) -> None:
        with refused("attempts must be at least 1"):
            Settings(attempts=0)

    def test_an_app_brings_its_own_and_the_engine_may_override_them(self) -> None:
        app = App("own", settings=Settings(attempts=2))
        assert Stage(app).engine.settings.attempts == 2
        assert Stage(app, settings=Settings(attempts=3)).engine.settings.attempts == 3
        assert Stage(App("none")).engine.settings == Settings()


class TestPerformers:
    def made(self, *performers: Plant) -> Runtime:
        return Stage(App("plants"), performers=performers).engine.runtime

    def test_two_that_carry_out_one_kind_of_action(self) -> None:
        with refused("two performers carry out valve.set"):
            self.made(Plant(performs=(SetValve,)), Plant(performs=(SetValve,), answers=()))

    def test_two_that_answer_one_kind_of_query(self) -> None:
        with refused("two performers answer gauge.read"):
            self.made(Plant(performs=()), Plant(performs=()))

    def test_one_for_each_kind(self) -> None:
        doer, reader = Plant(answers=()), Plant(performs=())
        runtime = self.made(doer, reader)
        assert runtime.performer(SetValve(level=1)) is doer
        assert runtime.answerer(ReadGauge()) is reader


def test_a_query_is_declared_as_an_action_is() -> None:
    class ReadDial(Query[Set], kind="dial.read"):
        pass

    assert (ReadDial.kind, ReadDial.returns) == ("dial.read", Set)
