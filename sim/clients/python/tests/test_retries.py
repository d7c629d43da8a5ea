"""What the README says of retries: with these settings a command whose reply is lost is executed
once."""

import pytest
import redis
import upstash_redis
import valkey
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkey.backoff import NoBackoff as ValkeyNoBackoff
from valkey.retry import Retry as ValkeyRetry


@pytest.fixture(scope="session")
def leasehold_options():
    return {"clock": "real"}


def over_redis(server, **options):
    client = redis.Redis.from_url(server.url, **options)
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
        (over_valkey, {"retry": VALKEY_NONE}, 1),
        (over_valkey, {}, 1),
        (over_upstash, {"rest_retries": 0}, 1),
        (over_upstash, {"rest_retry_interval": 0}, 2),
    ],
)
def test_a_lost_reply(leasehold, connect, options, count):
    client = connect(leasehold, **options)
    fault = leasehold.fault("reply-loss command=INCR next=1")
    try:
        reply = client.incr("count")
    except Exception:
        reply = None
    client.close()
    assert fault.effective == 1
    assert reply == (count if count > 1 else None)
    assert over_redis(leasehold).get("count") == str(count).encode()
