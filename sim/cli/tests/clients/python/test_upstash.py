"""upstash-redis, over REST."""

import unittest

from upstash_redis import Redis
from upstash_redis.errors import UpstashError

from support import REST_TOKEN, REST_URL, CleanServer, admin, advance


class Rest(CleanServer):
    def setUp(self):
        super().setUp()
        self.redis = Redis(url=REST_URL, token=REST_TOKEN, rest_retry_interval=0)
        self.addCleanup(self.redis.close)

    def test_values_come_back_as_they_were(self):
        self.assertTrue(self.redis.set("key", "žluťoučký"))
        self.assertEqual(self.redis.get("key"), "žluťoučký")
        self.redis.hset("hash", values={"a": "1", "b": "2"})
        self.assertEqual(self.redis.hgetall("hash"), {"a": "1", "b": "2"})

    def test_a_key_expires_on_the_servers_clock(self):
        self.redis.set("key", "value", px=1_000)
        advance(1_001)
        self.assertIsNone(self.redis.get("key"))

    def test_a_pipeline_and_a_transaction_answer_in_order(self):
        for batch in (self.redis.pipeline(), self.redis.multi()):
            batch.set("n", 1)
            batch.incr("n")
            self.assertEqual(batch.exec(), [True, 2])

    def test_a_script_runs(self):
        self.assertEqual(self.redis.eval("return ARGV[1]", args=["x"]), "x")

    def test_an_error_is_raised(self):
        self.redis.set("key", "text")
        with self.assertRaises(UpstashError):
            self.redis.incr("key")

    def test_a_lost_reply_makes_it_count_twice(self):
        admin("POST", "/faults", {"kind": "reply-loss", "command": "INCR", "next": 1})
        self.assertEqual(self.redis.incr("n"), 2)


if __name__ == "__main__":
    unittest.main()
