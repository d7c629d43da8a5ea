"""What the README says of retries: with these settings a command whose reply is lost is executed
once."""

from urllib.parse import urlsplit

import pytest
import redis
import upstash_redis
import valkey
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkey.backoff import NoBackoff as ValkeyNoBackoff
from valkey.retry import Retry as ValkeyRetry

from leasehold_test import Server


@pytest.fixture(scope="module")
def server():
    with Server(clock="real") as server:
        yield server


def over_redis(server, **options):
    client = redis.Redis(port=urlsplit(server.url).port, **options)
    client.ping()
    return client


def over_redis_from_url(server):
    client = redis.Redis.from_url(server.url)
    client.ping()
    return client


def over_valkey(server, **options):
    client = valkey.Valkey.from_url(server.url.replace("redis", "valkey"), **options)
    client.ping()
    return client


def over_upstash(server, **options):
    return upstash_redis.Redis(server.rest_url, server.rest_token, **options)


NONE = Retry(NoBackoff(), 0)
VALKEY_NONE = ValkeyRetry(ValkeyNoBackoff(), 0)


@pytest.mark.parametrize(
    ("connect", "options", "count"),
    [
        (over_redis, {"retry": NONE}, 1),
        (over_redis, {}, 2),
        (over_redis_from_url, {}, 1),
        (over_valkey, {"retry": VALKEY_NONE}, 1),
        (over_valkey, {}, 1),
        (over_upstash, {"rest_retries": 0}, 1),
        (over_upstash, {"rest_retry_interval": 0}, 2),
    ],
)
def test_a_lost_reply(server, connect, options, count):
    server.reset()
    client = connect(server, **options)
    fault = server.fault("reply-loss key=count next=1")
    try:
        reply = client.incr("count")
    except Exception:
        reply = None
    client.close()
    assert fault.effective == 1
    assert reply == (count if count > 1 else None)
    assert over_redis(server).get("count") == str(count).encode()
