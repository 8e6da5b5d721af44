"""Queues: what is sent to them is held by them."""

from collections.abc import Sequence

from crosswind_local.servicebus.conditions import Refused, not_allowed
from crosswind_local.servicebus.holders import Holder, Surroundings, dead_letters_of
from crosswind_local.servicebus.intake import Ahead, Intake
from crosswind_local.servicebus.messages import Message
from crosswind_local.servicebus.schedule import Schedule
from crosswind_local.servicebus.settings import QueueSettings
from crosswind_local.servicebus.timer import Timer


class Queue(Holder):
    """A queue by its name."""

    def __init__(self, path: str, settings: QueueSettings, surroundings: Surroundings) -> None:
        super().__init__(
            path,
            settings,
            surroundings,
            forwards_to=settings.forward_to,
            dead_letters=dead_letters_of(path, settings, surroundings),
        )
        # A queue that forwards holds nothing, so what is scheduled waits beside it.
        self._schedule = Schedule(surroundings.memory, self.put)
        self._schedule_timer = Timer(surroundings.alarm, self._run_schedule)
        ahead: Ahead = self.backlog if settings.forward_to is None else self._schedule
        self._intake = Intake(
            path,
            max_bytes=settings.max_bytes,
            duplicate_window=settings.duplicate_window,
            memory=surroundings.memory,
            ahead=ahead,
            arrive=self._arrive,
        )

    def send(self, messages: Sequence[Message]) -> None:
        """Take in messages, all of them or none.

        Raises:
            Refused: one lacks the session that the queue requires, or there is no room.
        """
        self._check(messages)
        self._intake.send(messages, self.surroundings.now())
        self._settle()

    def schedule(self, messages: Sequence[Message]) -> list[int]:
        """Schedule messages, all of them or none; returns their numbers.

        Raises:
            Refused: as for `send`, or one says no time.
        """
        self._check(messages)
        numbers = self._intake.schedule(messages, self.surroundings.now())
        self._settle()
        return numbers

    def cancel(self, numbers: Sequence[int]) -> None:
        """Remove scheduled messages, all of them or none.

        Raises:
            Refused: one is not scheduled any longer.
        """
        self._intake.cancel(numbers)

    def close(self, because: Refused) -> None:
        super().close(because)
        self._schedule_timer.cancel()
        self._schedule.clear()

    def _check(self, messages: Sequence[Message]) -> None:
        if self.settings.requires_session:
            for message in messages:
                if message.session_id is None:
                    raise not_allowed(
                        "The SessionId was not set on a message, and it cannot be sent to the "
                        f"entity '{self.path}'. Entities that have session support enabled can "
                        "only receive messages that have the SessionId set to a valid value."
                    )
        self._intake.check(messages, held=self.size + self._schedule.size)

    def _arrive(self, message: Message) -> None:
        # Stirred once for all that came together, not for each.
        if self.forwards_to is None:
            self.backlog.add(message, self.surroundings.now())
        else:
            self.put(message)

    def _settle(self) -> None:
        self.stir()
        self._run_schedule()

    def _run_schedule(self) -> None:
        self._schedule.run(self.surroundings.now())
        self._schedule_timer.set(self._schedule.next_due())
