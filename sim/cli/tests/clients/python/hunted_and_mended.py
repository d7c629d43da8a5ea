"""The job of TESTING.md that `leasehold hunt` breaks, mended: it deletes only its own lock."""

import os
import threading
import time
import uuid

import redis

db = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1)
release = db.register_script(
    "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end"
)


def job():
    token = uuid.uuid4().hex
    while not db.set("lock:job", token, nx=True, px=500):
        time.sleep(0.005)
    time.sleep(0.05)  # the work
    release(keys=["lock:job"], args=[token])


workers = [threading.Thread(target=job) for _ in range(2)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
