// redlock 4 and 5 over ioredis.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Redis } from "ioredis";
import Redlock4 from "redlock";
import * as redlock5 from "redlock5";
import { RESP_URL, advance, cleanServer } from "./support.js";

cleanServer();
const client = new Redis(RESP_URL);
after(() => client.quit());
const once = { retryCount: 0 };
const Redlock5 = redlock5.default.default ?? redlock5.default;

test("redlock 4 acquires, extends and releases", async () => {
  const redlock = new Redlock4([client], once);
  const lock = await redlock.lock("job", 10_000);
  await assert.rejects(redlock.lock("job", 10_000), { name: "LockError" });
  const longer = await lock.extend(20_000);
  assert.equal(await client.pttl("job"), 20_000);
  await longer.unlock();
  assert.equal(await client.exists("job"), 0);
  await assert.rejects(longer.unlock(), { name: "LockError" });
});

test("redlock 5 acquires, extends and releases", async () => {
  const redlock = new Redlock5([client], once);
  const lock = await redlock.acquire(["one", "other"], 10_000);
  await assert.rejects(redlock.acquire(["other"], 10_000));
  const longer = await lock.extend(20_000);
  assert.equal(await client.pttl("other"), 20_000);
  await longer.release();
  assert.equal(await client.exists("one", "other"), 0);
});

test("a lock that expired is somebody else's", async () => {
  const redlock = new Redlock5([client], once);
  const late = await redlock.acquire(["job"], 10_000);
  await advance(10_001);
  const next = await redlock.acquire(["job"], 10_000);
  await assert.rejects(late.release());
  assert.equal(await client.get("job"), next.value);
});
