"""Whatever a request holds, it is answered or refused: every message, with every value."""

from typing import Any

import pytest
from google.cloud.tasks_v2 import types
from google.protobuf import descriptor
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind_local import ManualClock, ServiceError
from crosswind_local.identities import Identities
from crosswind_local.memory import Memory
from crosswind_local.tasks import limits, queue_settings, task_settings
from crosswind_local.tasks.carrier import Carrier, Told
from crosswind_local.tasks.depot import Depot
from crosswind_local.tasks.methods import Methods
from crosswind_local.tasks.protocol import request_class
from crosswind_local.tasks.requests import Request, shape
from crosswind_local.tasks.tasks import OK, Attempt, Outcome

LOCATION = "projects/p/locations/l"
QUEUE = f"{LOCATION}/queues/q"

TEXTS = [
    LOCATION,
    QUEUE,
    f"{QUEUE}/tasks/t",
    "https://example.com/x",
    "http://[",
    "http://h:99999/",
    "a@b",
    "\r\n",
    "ü",
    "state: RUNNING",
    "rate_limits.max_dispatches_per_second",
    "name",
]
NUMBERS = [0, 1, -1, 2, 100, 2**31 - 1, -(2**31)]
LARGE = [*NUMBERS, 2**63 - 1, -(2**63)]
KINDS: dict[int, st.SearchStrategy[Any]] = {
    descriptor.FieldDescriptor.TYPE_STRING: st.sampled_from(TEXTS) | st.text(max_size=5),
    descriptor.FieldDescriptor.TYPE_BYTES: st.binary(max_size=5),
    descriptor.FieldDescriptor.TYPE_BOOL: st.booleans(),
    descriptor.FieldDescriptor.TYPE_DOUBLE: st.floats(),
    descriptor.FieldDescriptor.TYPE_INT32: st.sampled_from(NUMBERS),
    descriptor.FieldDescriptor.TYPE_INT64: st.sampled_from(LARGE),
    descriptor.FieldDescriptor.TYPE_ENUM: st.sampled_from([0, 1, 2, 3, 9]),
}


class Nowhere(Carrier):
    """Sends nothing, and has answered what it was given at once with one status after another."""

    sent: int = 0

    def carry(self, request: Request, deadline: float, told: Told) -> None:
        assert limits.DISPATCH_DEADLINE[0] <= deadline <= limits.DISPATCH_DEADLINE[1]
        assert request.url.startswith(("http://", "https://"))
        assert all(name.isascii() and "\n" not in value for name, value in request.headers.items())
        self.sent += 1
        told(Outcome((200, 500, 429)[self.sent % 3]))


@st.composite
def filled(draw: st.DrawFn, made: Any, depth: int = 0) -> Any:
    """A message in which each field may have any value."""
    message = made()
    for field in made.DESCRIPTOR.fields:
        if depth > 5 or not draw(st.integers(0, 3)):
            continue
        if field.message_type is None:
            value = KINDS[field.type]
            if field.is_repeated:
                getattr(message, field.name).extend(draw(st.lists(value, max_size=2)))
            else:
                setattr(message, field.name, draw(value))
        elif field.message_type.GetOptions().map_entry:
            entries = st.dictionaries(KINDS[9], KINDS[9], max_size=2)
            getattr(message, field.name).update(draw(entries))
        else:
            part = filled(field.message_type._concrete_class, depth + 1)
            if field.is_repeated:
                getattr(message, field.name).extend(draw(st.lists(part, max_size=2)))
            else:
                getattr(message, field.name).CopyFrom(draw(part))
    return message


METHODS = sorted(
    Methods(
        Depot(ManualClock(), Memory(), Nowhere(ManualClock()), Identities(ManualClock()))
    ).by_name()
)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_every_request_is_answered_or_refused(data: st.DataObject) -> None:
    clock, memory = ManualClock(), Memory(100_000)
    depot = Depot(clock, memory, Nowhere(clock), Identities(clock))
    methods = Methods(depot).by_name()
    methods["CreateQueue"](
        types.CreateQueueRequest.pb()(parent=LOCATION, queue=types.Queue.pb()(name=QUEUE))
    )
    for _ in range(data.draw(st.integers(1, 5))):
        name = data.draw(st.sampled_from(METHODS))
        request = data.draw(filled(request_class(name)))
        try:
            methods[name](request).SerializeToString()
        except ServiceError:
            pass  # a refusal; whatever else is raised fails the test
        clock.advance(data.draw(st.sampled_from([0, 1, 10_000, 3_000_000])))
        depot.report()
    depot.forget("projects/p")
    depot.close()
    assert memory.used == 0


@settings(max_examples=200, deadline=None)
@given(filled(types.HttpTarget.pb()), filled(types.HttpRequest.pb()))
def test_whatever_a_queue_overrides_the_request_can_be_sent(target: Any, request: Any) -> None:
    queue = types.Queue.pb()(name=QUEUE, http_target=target)
    request.url = "http://127.0.0.1:1/a?b=c"
    try:
        queue_settings.complete(queue)
        task = task_settings.accept(types.Task.pb()(http_request=request), QUEUE, 0)
    except ServiceError:
        return
    attempt = Attempt(task, 0.0, 0.0, False, 0, 0, None)
    shaped = shape(queue, attempt, Identities(ManualClock()))
    assert shaped.url.startswith(("http://", "https://"))
    lowered = [name.lower() for name in shaped.headers]
    assert len(lowered) == len(set(lowered))
    assert shaped.headers["X-CloudTasks-QueueName"] == "q"


@pytest.mark.parametrize("status", OK)
def test_every_success_ends_a_task(status: int) -> None:
    assert Outcome(status).succeeded
    assert not Outcome(status, answered=False).succeeded
