"""redis-py's Lock as it comes: a key with a lease, taken by whoever asks next; a waiter asks every 100 ms.

The lease is one second here. Without one the slot of a killed holder stays taken for ever; with one, a call that lasts
longer than it must be extended all the time by the caller, which the benchmark leaves out.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

from redis.asyncio import Redis
from redis.exceptions import LockNotOwnedError

from bench.contenders.gate_contract import Address, Contender, Urgency

KEY = "bench"
LEASE_S = 1.0
DEFAULT_SLEEP_S = 0.1


class _Door:
    def __init__(self, client: Redis, sleep_s: float) -> None:
        self._client = client
        self._sleep_s = sleep_s

    @asynccontextmanager
    async def enter(self, _urgency: Urgency) -> AsyncIterator[None]:
        lock = self._client.lock(KEY, timeout=LEASE_S, sleep=self._sleep_s)
        await lock.acquire()
        try:
            yield
        finally:
            # The lease ran out on a stalled machine: somebody else may be inside, and the overlap is counted.
            with suppress(LockNotOwnedError):
                await lock.release()


class RedisLock:
    """redis-py's asyncio Lock.

    Args:
        sleep_s: seconds between two looks of a waiter.
    """

    version = f"redis-py {version('redis')}"
    classes = False
    on_postgres = False
    crowd = 100

    def __init__(self, name: str, sleep_s: float, share: float) -> None:
        self.name = name
        self.poll_s = sleep_s
        self.share = share

    async def prepare(self, dsn: str) -> None:
        """Install nothing."""

    @asynccontextmanager
    async def open(self, address: Address, waiters: int) -> AsyncIterator[_Door]:
        """Connect a client; its pool opens a connection for each coroutine that asks."""
        async with Redis.from_url(address.redis) as client:
            yield _Door(client, self.poll_s)


CONTENDER: Contender = RedisLock("redis", DEFAULT_SLEEP_S, share=0.1)
