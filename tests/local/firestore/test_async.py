"""The asynchronous client of the official SDK."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from local.firestore.desk import Desk

Work = Callable[[Any, Any], Awaitable[None]]


def run(desk: Desk, work: Work) -> None:
    """Run work with an asynchronous client and a collection of this test's own."""

    async def whole() -> None:
        client: Any = firestore.AsyncClient(project=desk.project)
        await work(client, client.collection(desk.id()))
        client.close()

    asyncio.run(whole())


def test_documents(desk: Desk) -> None:
    async def work(client: Any, things: Any) -> None:
        it = things.document("it")
        await it.create({"n": 1, "inner": {"a": 1}})
        with pytest.raises(exceptions.AlreadyExists):
            await it.create({})
        await it.update({"n": firestore.Increment(1), "inner.b": 2})
        assert (await it.get()).to_dict() == {"n": 2, "inner": {"a": 1, "b": 2}}
        batch = client.batch()
        batch.set(things.document("other"), {"n": 5})
        batch.delete(it)
        await batch.commit()
        assert [s.id async for s in things.stream()] == ["other"]
        assert [r.id async for r in things.list_documents()] == ["other"]
        assert desk.id() in [c.id async for c in client.collections()]

    run(desk, work)


def test_queries(desk: Desk) -> None:
    async def work(client: Any, things: Any) -> None:
        await asyncio.gather(*(things.document(f"d{n}").set({"n": n}) for n in range(10)))
        found = things.where(filter=FieldFilter("n", ">=", 4)).order_by("n").limit(3)
        assert [s.id async for s in found.stream()] == ["d4", "d5", "d6"]
        assert (await things.count().get())[0][0].value == 10
        last = await things.order_by("n").limit_to_last(2).get()
        assert [s.id for s in last] == ["d8", "d9"]

    run(desk, work)


def test_transactions_lose_nothing(desk: Desk) -> None:
    async def work(client: Any, things: Any) -> None:
        it = things.document("it")
        await it.set({"n": 0})

        async def add_one(transaction: Any) -> None:
            seen = (await it.get(transaction=transaction)).get("n")
            transaction.update(it, {"n": seen + 1})

        # One decorated function, so that all of its retries name the same transaction.
        counting: Any = firestore.async_transactional(add_one)
        await asyncio.gather(*(counting(client.transaction(max_attempts=40)) for _ in range(16)))
        assert (await it.get()).to_dict() == {"n": 16}

    run(desk, work)
