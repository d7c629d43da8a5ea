"""Small scenarios with packages from PyPI: python scenarios.py PORT"""

import asyncio
import sys

import arq
import redis
from arq.connections import RedisSettings
from arq.worker import Worker as ArqWorker
from pottery import RedisCounter, RedisDict, Redlock
from rq import Queue, SimpleWorker

PORT = int(sys.argv[1])


def client():
    return redis.Redis(port=PORT)


def rq_runs_every_job():
    queue = Queue("rq", connection=client())
    jobs = [queue.enqueue(divmod, n, 3) for n in range(20)]
    SimpleWorker([queue], connection=client()).work(burst=True, logging_level="CRITICAL")
    assert [tuple(job.return_value()) for job in jobs] == [divmod(n, 3) for n in range(20)]


def rq_keeps_what_failed():
    queue = Queue("rq-failing", connection=client())
    job = queue.enqueue(divmod, 1, 0)
    SimpleWorker([queue], connection=client()).work(burst=True, logging_level="CRITICAL")
    assert job.id in queue.failed_job_registry.get_job_ids()


def arq_runs_every_job():
    async def square(_, number):
        return number * number

    async def all_jobs():
        settings = RedisSettings(port=PORT)
        pool = await arq.create_pool(settings)
        jobs = [await pool.enqueue_job("square", n, _job_id=f"square-{n}") for n in range(20)]
        assert await pool.enqueue_job("square", 1, _job_id="square-1") is None
        worker = ArqWorker([arq.worker.func(square, name="square")], redis_settings=settings, burst=True, poll_delay=0.05, handle_signals=False)
        await worker.async_run()
        assert [await job.result(timeout=10) for job in jobs] == [n * n for n in range(20)]
        await worker.close()
        await pool.aclose()

    asyncio.run(all_jobs())


def pottery_locks():
    lock = Redlock(key="lock", masters={client()}, auto_release_time=10)
    other = Redlock(key="lock", masters={client()}, auto_release_time=10)
    assert lock.acquire()
    assert not other.acquire(blocking=False)
    lock.extend()
    assert lock.locked() > 0
    lock.release()
    assert other.acquire(blocking=False)
    other.release()


def pottery_counts_and_keeps():
    counter = RedisCounter("aab", redis=client(), key="counter")
    assert counter["a"] == 2
    kept = RedisDict({"a": 1}, redis=client(), key="dict")
    kept["b"] = [2, 3]
    assert dict(kept) == {"a": 1, "b": [2, 3]}


for scenario in (rq_runs_every_job, rq_keeps_what_failed, arq_runs_every_job, pottery_locks, pottery_counts_and_keeps):
    name = scenario.__name__.replace("_", " ")
    try:
        scenario()
        print(f"{name}: ok", flush=True)
    except Exception as error:
        print(f"{name}: FAILED {type(error).__name__} {error}".replace("\n", " "), flush=True)
