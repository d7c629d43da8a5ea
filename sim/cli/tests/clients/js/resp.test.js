// ioredis and node-redis, over RESP2 and RESP3.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { RESP_URL, advance, cleanServer, once } from "./support.js";

cleanServer();

async function withIoredis(use) {
  const client = new Redis(RESP_URL);
  try {
    await use(client);
  } finally {
    client.disconnect();
  }
}

async function withNodeRedis(protocol, use) {
  const client = await createClient({ url: RESP_URL, RESP: protocol }).connect();
  try {
    await use(client);
  } finally {
    client.destroy();
  }
}

test("ioredis pipelines, and runs transactions and scripts", () =>
  withIoredis(async (client) => {
    assert.deepEqual(await client.pipeline().set("a", 1).incr("a").get("a").exec(), [
      [null, "OK"],
      [null, 2],
      [null, "2"],
    ]);
    assert.deepEqual(await client.multi().incr("a").incr("a").exec(), [
      [null, 3],
      [null, 4],
    ]);
    client.defineCommand("twice", { numberOfKeys: 1, lua: "return redis.call('get', KEYS[1]) * 2" });
    assert.equal(await client.twice("a"), 8);
  }));

test("a transaction does nothing once a watched key has changed", () =>
  withIoredis(async (client) => {
    const other = client.duplicate();
    await client.watch("a");
    await other.set("a", "theirs");
    assert.equal(await client.multi().set("a", "mine").exec(), null);
    assert.equal(await client.get("a"), "theirs");
    other.disconnect();
  }));

test("a blocking pop waits for the push", () =>
  withIoredis(async (client) => {
    const other = client.duplicate();
    const popped = client.blpop("queue", 0);
    assert.equal(await other.rpush("queue", "job"), 1);
    assert.deepEqual(await popped, ["queue", "job"]);
    other.disconnect();
  }));

test("a blocking pop gives up when its time has passed", () =>
  withIoredis(async (client) => {
    const other = client.duplicate();
    const id = await client.client("ID");
    const popped = client.blpop("queue", 30);
    while (!/flags=b/.test(await other.client("LIST", "ID", id)));
    await advance(30_001);
    assert.equal(await popped, null);
    other.disconnect();
  }));

test("ioredis hears channels and patterns", () =>
  withIoredis(async (client) => {
    const listener = client.duplicate();
    await listener.subscribe("news");
    await listener.psubscribe("n*");
    const heard = [once(listener, "message"), once(listener, "pmessage")];
    assert.equal(await client.publish("news", "hello"), 2);
    assert.deepEqual(await Promise.all(heard), ["news", "n*"]);
    listener.disconnect();
  }));

for (const protocol of [2, 3]) {
  test(`node-redis works over RESP${protocol}`, () =>
    withNodeRedis(protocol, async (client) => {
      await client.hSet("hash", { a: "1", b: "2" });
      assert.deepEqual({ ...(await client.hGetAll("hash")) }, { a: "1", b: "2" });
      assert.deepEqual(await client.multi().set("a", "1").incr("a").exec(), ["OK", 2]);
      assert.equal(await client.eval("return ARGV[1]", { arguments: ["x"] }), "x");
      await client.zAdd("scores", [{ score: 1.5, value: "a" }]);
      assert.equal(await client.zScore("scores", "a"), 1.5);
      const keys = [];
      for await (const found of client.scanIterator()) keys.push(...[found].flat());
      assert.deepEqual(keys.sort(), ["a", "hash", "scores"]);
    }));

  test(`node-redis hears what is published over RESP${protocol}`, () =>
    withNodeRedis(protocol, async (client) => {
      const listener = await client.duplicate().connect();
      let hear;
      const heard = new Promise((resolve) => (hear = resolve));
      await listener.subscribe("news", hear);
      assert.equal(await client.publish("news", "hello"), 1);
      assert.equal(await heard, "hello");
      listener.destroy();
    }));
}
