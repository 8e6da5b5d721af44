"""Topics and their subscriptions: what is sent to a topic goes to each subscription that wants it.

"Topic filters and actions", https://learn.microsoft.com/azure/service-bus-messaging/topic-filters
"""

import math
from collections.abc import Iterable, Sequence

from crosswind_local.servicebus import limits
from crosswind_local.servicebus.conditions import (
    Refused,
    argument,
    entity_exists,
    entity_not_found,
    quota,
)
from crosswind_local.servicebus.holders import Holder, Surroundings, dead_letters_of
from crosswind_local.servicebus.intake import Intake
from crosswind_local.servicebus.messages import Message
from crosswind_local.servicebus.rules.correlation import CorrelationFilter
from crosswind_local.servicebus.rules.rule import DEFAULT, BooleanFilter, Rule, matched
from crosswind_local.servicebus.schedule import Schedule
from crosswind_local.servicebus.settings import SubscriptionSettings, TopicSettings
from crosswind_local.servicebus.timer import Timer

SUBSCRIPTIONS = "/Subscriptions/"
"""What stands between the names of a topic and of a subscription in the latter's path."""


class Subscription(Holder):
    """A subscription of a topic, with the rules that say what it takes."""

    def __init__(
        self,
        topic: "Topic",
        name: str,
        settings: SubscriptionSettings,
        surroundings: Surroundings,
    ) -> None:
        path = topic.path + SUBSCRIPTIONS + name
        super().__init__(
            path,
            settings,
            surroundings,
            forwards_to=settings.forward_to,
            dead_letters=dead_letters_of(path, settings, surroundings),
        )
        self.name = name
        self.rules: dict[str, Rule] = {}
        """By name in lower case."""
        self._topic = topic

    def add_rule(self, rule: Rule) -> None:
        """Take in what another rule lets pass, too.

        Raises:
            Refused: there is one of that name, or the topic has too many.
        """
        if rule.name.lower() in self.rules:
            raise entity_exists(rule.name)
        self._topic.check_room_for(rule)
        self.rules[rule.name.lower()] = rule

    def remove_rule(self, name: str) -> None:
        """Take in no longer what a rule lets pass.

        Raises:
            Refused: there is none of that name.
        """
        if self.rules.pop(name.lower(), None) is None:
            raise entity_not_found(f"{self.path}/Rules/{name}")

    def offer(self, message: Message) -> None:
        """Take in what the rules let pass of a message."""
        for copy in matched(self.rules.values(), message):
            if self.settings.requires_session and copy.session_id is None:
                self.backlog.refuse(
                    copy,
                    self.surroundings.now(),
                    "Session ID is null.",
                    "Session enabled entity doesn't allow a message whose session identifier is "
                    "null.",
                )
            elif self.forwards_to is None:
                self.backlog.add(copy, self.surroundings.now())
            else:
                self.put(copy)

    def report(self) -> dict[str, object]:
        return {**super().report(), "rules": sorted(rule.name for rule in self.rules.values())}


class Topic:
    """A topic by its name."""

    def __init__(self, path: str, settings: TopicSettings, surroundings: Surroundings) -> None:
        self.path = path
        self.settings = settings
        self.subscriptions: dict[str, Subscription] = {}
        """By name in lower case."""
        self._surroundings = surroundings
        self._schedule = Schedule(surroundings.memory, self._arrive)
        self._timer = Timer(surroundings.alarm, self._run_schedule)
        self._intake = Intake(
            path,
            max_bytes=settings.max_bytes,
            duplicate_window=settings.duplicate_window,
            memory=surroundings.memory,
            ahead=self._schedule,
            arrive=self._arrive,
        )

    @property
    def size(self) -> int:
        """Bytes of messages that its subscriptions hold and of those that are scheduled."""
        return self._schedule.size + sum(each.size for each in self.subscriptions.values())

    def add(
        self, name: str, settings: SubscriptionSettings, rules: Iterable[Rule] = ()
    ) -> Subscription:
        """Add a subscription; without rules it takes every message.

        Raises:
            Refused: the name is not valid or taken, or there are too many.
        """
        if not 0 < len(name) <= limits.NAME or "/" in name:
            raise argument(
                f"The name of a subscription has 1 to {limits.NAME} characters and no /: {name!r}."
            )
        if name.lower() in self.subscriptions:
            raise entity_exists(self.path + SUBSCRIPTIONS + name)
        if len(self.subscriptions) >= limits.SUBSCRIPTIONS_PER_TOPIC:
            raise quota(f"The topic '{self.path}' has {len(self.subscriptions)} subscriptions.")
        subscription = Subscription(self, name, settings, self._surroundings)
        for rule in list(rules) or [Rule(DEFAULT, BooleanFilter(True))]:
            subscription.add_rule(rule)
        self.subscriptions[name.lower()] = subscription
        return subscription

    def check_room_for(self, rule: Rule) -> None:
        """See that one more rule is allowed.

        Raises:
            Refused: it is not.
        """
        correlated = isinstance(rule.filter, CorrelationFilter)
        most = limits.CORRELATION_FILTERS_PER_TOPIC if correlated else limits.SQL_FILTERS_PER_TOPIC
        there = sum(
            isinstance(other.filter, CorrelationFilter) is correlated
            for subscription in self.subscriptions.values()
            for other in subscription.rules.values()
        )
        if there >= most:
            raise quota(f"The topic '{self.path}' has {there} filters of this kind already.")

    def send(self, messages: Sequence[Message]) -> None:
        """Take in messages, all of them or none.

        Raises:
            Refused: there is no room.
        """
        self._check(messages)
        self._intake.send(messages, self._surroundings.now())
        self._settle()

    def schedule(self, messages: Sequence[Message]) -> list[int]:
        """Schedule messages, all of them or none; returns their numbers.

        Raises:
            Refused: there is no room, or one says no time.
        """
        self._check(messages)
        numbers = self._intake.schedule(messages, self._surroundings.now())
        self._settle()
        return numbers

    def cancel(self, numbers: Sequence[int]) -> None:
        """Remove scheduled messages, all of them or none.

        Raises:
            Refused: one is not scheduled any longer.
        """
        self._intake.cancel(numbers)

    def close(self, because: Refused) -> None:
        """Remove all subscriptions and forget what is scheduled."""
        self._timer.cancel()
        self._schedule.clear()
        for subscription in self.subscriptions.values():
            subscription.close(because)
        self.subscriptions.clear()

    def report(self) -> dict[str, object]:
        """What there is, for inspection."""
        return {
            "scheduled": len(self._schedule),
            "subscriptions": {each.name: each.report() for each in self.subscriptions.values()},
        }

    def _check(self, messages: Sequence[Message]) -> None:
        self._intake.check(messages, held=self.size, copies=len(self.subscriptions))

    def _arrive(self, message: Message) -> None:
        most = self.settings.default_time_to_live
        if most < (math.inf if message.ttl is None else message.ttl):
            message = message.copy()
            message.ttl = most
        for subscription in self.subscriptions.values():
            subscription.offer(message)

    def _settle(self) -> None:
        self._run_schedule()
        for subscription in self.subscriptions.values():
            subscription.stir()

    def _run_schedule(self) -> None:
        before = len(self._schedule)
        self._schedule.run(self._surroundings.now())
        self._timer.set(self._schedule.next_due())
        if len(self._schedule) != before:
            for subscription in self.subscriptions.values():
                subscription.stir()
