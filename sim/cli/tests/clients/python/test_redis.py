"""redis-py, over RESP2 and RESP3."""

import unittest

import redis
from redis.exceptions import LockError, LockNotOwnedError, WatchError

from support import RESP_URL, CleanServer, admin, advance


class Locks(CleanServer):
    def setUp(self):
        super().setUp()
        self.client = redis.Redis.from_url(RESP_URL)
        self.addCleanup(self.client.close)

    def lock(self, **options):
        return self.client.lock("job", timeout=10, blocking=False, **options)

    def test_one_of_two_holds_the_lock(self):
        one, other = self.lock(), self.lock()
        self.assertTrue(one.acquire())
        self.assertFalse(other.acquire())
        one.release()
        self.assertTrue(other.acquire())

    def test_a_lease_can_be_extended(self):
        lock = self.lock()
        lock.acquire()
        lock.extend(10)
        self.assertEqual(self.client.pttl("job"), 20_000)
        lock.reacquire()
        self.assertEqual(self.client.pttl("job"), 10_000)

    def test_a_lock_that_expired_cannot_be_released(self):
        lock = self.lock()
        lock.acquire()
        advance(10_001)
        self.assertTrue(self.lock().acquire())
        with self.assertRaises(LockNotOwnedError):
            lock.release()

    def test_who_holds_nothing_cannot_release(self):
        with self.assertRaises(LockError):
            self.lock().release()

    def test_a_restart_loses_a_lock(self):
        lock = self.lock()
        lock.acquire()
        admin("POST", "/restart", {})
        self.assertTrue(self.lock().acquire())


class Both:
    """What has to work over either version of the protocol."""

    def setUp(self):
        super().setUp()
        self.client = redis.Redis.from_url(
            RESP_URL, protocol=self.protocol, decode_responses=True
        )
        self.addCleanup(self.client.close)

    def test_a_pipeline_is_a_transaction(self):
        pipeline = self.client.pipeline()
        pipeline.set("a", 1).incr("a").hset("h", mapping={"f": "v"}).hgetall("h")
        self.assertEqual(pipeline.execute(), [True, 2, 1, {"f": "v"}])

    def test_a_watched_key_that_changed_undoes_a_transaction(self):
        with self.client.pipeline() as pipeline:
            pipeline.watch("a")
            self.client.set("a", "theirs")
            pipeline.multi()
            pipeline.set("a", "mine")
            with self.assertRaises(WatchError):
                pipeline.execute()

    def test_a_subscriber_hears_what_is_published(self):
        listener = self.client.pubsub(ignore_subscribe_messages=False)
        self.addCleanup(listener.close)
        listener.subscribe("news")
        self.assertEqual(next(listener.listen())["type"], "subscribe")
        self.assertEqual(self.client.publish("news", "hello"), 1)
        self.assertEqual(next(listener.listen())["data"], "hello")

    def test_a_pop_takes_what_is_there(self):
        self.client.rpush("queue", "job")
        self.assertEqual(list(self.client.blpop("queue")), ["queue", "job"])

    def test_a_script_is_run_by_its_hash(self):
        script = self.client.register_script("return {KEYS[1], ARGV[1]}")
        self.assertEqual(script(keys=["k"], args=["a"]), ["k", "a"])
        self.assertEqual(script(keys=["k"], args=["b"]), ["k", "b"])

    def test_the_sorted_set_keeps_scores(self):
        self.client.zadd("z", {"a": 1.5, "b": 1})
        self.assertEqual(
            [tuple(pair) for pair in self.client.zrange("z", 0, -1, withscores=True)],
            [("b", 1.0), ("a", 1.5)],
        )


class OverResp2(Both, CleanServer):
    protocol = 2


class OverResp3(Both, CleanServer):
    protocol = 3


if __name__ == "__main__":
    unittest.main()
