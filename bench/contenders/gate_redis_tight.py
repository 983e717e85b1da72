"""redis-py's Lock at its best: a waiter asks every millisecond, and pays for it in load."""

from bench.contenders.gate_contract import Contender
from bench.contenders.gate_redis import RedisLock

CONTENDER: Contender = RedisLock("redis_tight", 0.001, share=0.25)
