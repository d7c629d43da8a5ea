// @upstash/redis, over REST.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Redis } from "@upstash/redis";
import { READ_ONLY_TOKEN, REST_TOKEN, REST_URL, advance, cleanServer } from "./support.js";

cleanServer();
const connect = (options) => new Redis({ url: REST_URL, token: REST_TOKEN, ...options });

test("values come back as they were", async () => {
  const redis = connect();
  const value = { text: "žluťoučký kůň", list: [1, 2.5, null], nested: { yes: true } };
  assert.equal(await redis.set("value", value), "OK");
  assert.deepEqual(await redis.get("value"), value);
  assert.equal(await redis.get("absent"), null);
  await redis.hset("hash", { a: 1, b: "two" });
  assert.deepEqual(await redis.hgetall("hash"), { a: 1, b: "two" });
  await redis.rpush("list", "x", "y", "z");
  assert.deepEqual(await redis.lrange("list", 0, -1), ["x", "y", "z"]);
  await redis.zadd("scores", { score: 2, member: "b" }, { score: 1, member: "a" });
  assert.deepEqual(await redis.zrange("scores", 0, -1, { withScores: true }), ["a", 1, "b", 2]);
  await redis.sadd("set", 1, 2);
  assert.deepEqual((await redis.smembers("set")).sort(), [1, 2]);
  assert.equal(await redis.type("set"), "set");
  assert.equal(await redis.ping(), "PONG");
});

test("a key expires on the server's clock", async () => {
  const redis = connect();
  await redis.set("key", "value", { px: 1000 });
  await advance(1000);
  assert.equal(await redis.pttl("key"), 0);
  await advance(1);
  assert.equal(await redis.get("key"), null);
});

test("commands of one turn share a request, and fail one by one", async () => {
  const redis = connect();
  await redis.set("text", "abc");
  const results = await Promise.allSettled([redis.incr("n"), redis.incr("text"), redis.incr("n")]);
  assert.deepEqual(results.map((result) => result.status), ["fulfilled", "rejected", "fulfilled"]);
  assert.deepEqual([results[0].value, results[2].value], [1, 2]);
  assert.match(results[1].reason.message, /not an integer or out of range/);
});

test("a pipeline answers in order", async () => {
  const pipeline = connect().pipeline();
  pipeline.set("a", 1).incr("a").get("a").del("a");
  assert.deepEqual(await pipeline.exec(), ["OK", 2, 2, 1]);
});

test("a transaction is carried out whole", async () => {
  const transaction = connect().multi();
  transaction.set("a", 1).incrby("a", 4).get("a");
  assert.deepEqual(await transaction.exec(), ["OK", 5, 5]);
});

test("a script is loaded when it is first run", async () => {
  const script = connect().createScript("return { KEYS[1], ARGV[1] }");
  assert.deepEqual(await script.exec(["key"], ["argument"]), ["key", "argument"]);
  assert.deepEqual(await script.exec(["key"], ["again"]), ["key", "again"]);
});

test("a wrong token is refused", async () => {
  const redis = connect({ token: "wrong" });
  await assert.rejects(redis.get("key"), /WRONGPASS/);
});

test("the read-only token reads and does not write", async () => {
  await connect().set("key", "value");
  const reader = connect({ token: READ_ONLY_TOKEN });
  assert.equal(await reader.get("key"), "value");
  await assert.rejects(reader.set("key", "other"), /NOPERM/);
});

test("a subscriber hears what is published", async () => {
  const redis = connect();
  const subscription = redis.subscribe(["news"]);
  await new Promise((resolve) => subscription.on("subscribe", resolve));
  const heard = new Promise((resolve) => subscription.on("message", resolve));
  assert.equal(await redis.publish("news", { hello: "there" }), 1);
  assert.deepEqual(await heard, { channel: "news", message: { hello: "there" } });
  await subscription.unsubscribe();
});

test("a subscriber to a pattern hears every channel that matches", async () => {
  const redis = connect();
  const subscription = redis.psubscribe(["news:*"]);
  await new Promise((resolve) => subscription.on("psubscribe", resolve));
  const heard = new Promise((resolve) => subscription.on("pmessage", resolve));
  assert.equal(await redis.publish("news:1", { hello: "there" }), 1);
  const { channel, message, pattern } = await heard;
  assert.deepEqual({ channel, message, pattern }, {
    channel: "news:1",
    message: { hello: "there" },
    pattern: "news:*",
  });
  await subscription.unsubscribe();
});
