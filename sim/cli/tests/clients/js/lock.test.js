// @upstash/lock, over REST.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Lock } from "@upstash/lock";
import { Redis } from "@upstash/redis";
import { REST_TOKEN, REST_URL, advance, cleanServer } from "./support.js";

cleanServer();
const redis = new Redis({ url: REST_URL, token: REST_TOKEN });
const lock = () =>
  new Lock({ id: "job", redis, lease: 10_000, retry: { attempts: 1, delay: 1 } });

test("one of two holds the lock, and the other gets it after the release", async () => {
  const [one, other] = [lock(), lock()];
  assert.equal(await one.acquire(), true);
  assert.equal(await other.acquire(), false);
  assert.equal(await one.getStatus(), "ACQUIRED");
  assert.equal(await other.getStatus(), "FREE");
  assert.equal(await other.release(), false);
  assert.equal(await one.release(), true);
  assert.equal(await other.acquire(), true);
});

test("of many who contend exactly one wins", async () => {
  const won = await Promise.all(Array.from({ length: 20 }, () => lock().acquire()));
  assert.equal(won.filter(Boolean).length, 1);
});

test("a lease that is extended outlives the first one", async () => {
  const one = lock();
  await one.acquire();
  assert.equal(await one.extend(10_000), true);
  await advance(15_000);
  assert.equal(await lock().acquire(), false);
  await advance(5_001);
  assert.equal(await lock().acquire(), true);
  assert.equal(await one.release(), false);
});
