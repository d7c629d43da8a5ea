// The lock of TESTING.md that `leasehold hunt` breaks, mended: acquiring says yes also when the lock
// is its own already, so a retry after a lost reply does no harm.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { Redis } from "@upstash/redis";

const ACQUIRE = `
  if redis.call("get", KEYS[1]) == ARGV[1] then return 1 end
  return redis.call("set", KEYS[1], ARGV[1], "nx", "px", ARGV[2]) and 1 or 0`;
const RELEASE = `
  if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end
  return 0`;

const redis = Redis.fromEnv({ signal: () => AbortSignal.timeout(1000) });

/// Tries again when nothing comes back, which @upstash/redis does only when a connection breaks.
async function patiently(ask) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

test("a free lock is acquired", async () => {
  const token = randomUUID();
  const acquired = await patiently(() => redis.eval(ACQUIRE, ["job"], [token, 5_000]));
  assert.equal(acquired, 1);
  await patiently(() => redis.eval(RELEASE, ["job"], [token]));
});
