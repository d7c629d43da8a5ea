// Every kind of fault shows in a real client.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Lock } from "@upstash/lock";
import { Redis } from "@upstash/redis";
import { Redis as Ioredis } from "ioredis";
import { REST_TOKEN, REST_URL, RESP_URL, advance, cleanServer, failover, inject, restart } from "./support.js";

cleanServer();
const connect = (options) =>
  new Redis({ url: REST_URL, token: REST_TOKEN, retry: { retries: 2, backoff: () => 1 }, ...options });
const redis = connect();
const lock = () => new Lock({ id: "job", redis, lease: 10_000, retry: { attempts: 1, delay: 1 } });

async function overResp(use) {
  const client = new Ioredis(RESP_URL, { maxRetriesPerRequest: 0, retryStrategy: null });
  client.on("error", () => {});
  try {
    await use(client);
  } finally {
    client.disconnect();
  }
}

test("a lost reply makes @upstash/redis count twice", async () => {
  const fault = await inject({ kind: "reply-loss", command: "INCR", next: 1 });
  assert.equal(await redis.incr("n"), 2);
  assert.equal(await fault.effective(), 1);
});

test("after a lost reply @upstash/lock says that it does not hold what it holds", async () => {
  const fault = await inject({ kind: "reply-loss", command: "SET", next: 1 });
  const one = lock();
  assert.equal(await one.acquire(), false);
  assert.equal(await fault.effective(), 1);
  assert.equal(await one.getStatus(), "FREE");
  assert.equal(await redis.exists("job"), 1);
  assert.equal(await lock().acquire(), false);
});

test("a lost request is sent again", async () => {
  const fault = await inject({ kind: "request-loss", command: "INCR", next: 1 });
  assert.equal(await redis.incr("n"), 1);
  assert.equal(await fault.effective(), 1);
});

test("a delayed request takes effect after one that was sent later", async () => {
  const fault = await inject({ kind: "latency", fixed: "5s", command: "SET", next: 1 });
  const slow = connect({ enableAutoPipelining: false }).set("key", "slow");
  let settled = false;
  const seen = slow.then(() => (settled = true));
  while ((await fault.effective()) === 0);
  await connect().set("key", "fast");
  assert.equal(settled, false);
  await advance(5_000);
  await seen;
  assert.equal(await redis.get("key"), "slow");
});

test("a duplicate takes effect twice, though the client has seen one answer", async () => {
  const fault = await inject({ kind: "duplicate", after: "1s", command: "INCR", next: 1 });
  assert.equal(await redis.incr("n"), 1);
  await advance(1_000);
  let value;
  while ((value = await redis.get("n")) === 1);
  assert.equal(value, 2);
  assert.equal(await fault.effective(), 1);
});

test("a client that hears nothing gives up by its own timeout", async () => {
  const fault = await inject({ kind: "hang", command: "GET", next: 1 });
  const stop = new AbortController();
  const options = { retry: false, enableAutoPipelining: false, responseEncoding: false };
  const hanging = connect({ signal: stop.signal, ...options }).get("key");
  while ((await fault.effective()) === 0);
  stop.abort("too long");
  // This client resolves with the reason when its request is aborted.
  assert.equal(await hanging.catch((error) => error), "too long");
});

test("an answer of HTTP 503 is not tried again", async () => {
  const fault = await inject({ kind: "status", code: 503, text: "overloaded", command: "GET" });
  await assert.rejects(redis.get("key"), /overloaded/);
  assert.equal(await fault.effective(), 1);
});

test("an error of the server reaches the caller", async () => {
  await inject({ kind: "error", text: "LOADING", command: "GET", next: 2 });
  await assert.rejects(redis.get("key"), /LOADING/);
  await overResp((client) => assert.rejects(client.get("key"), /LOADING/));
});

test("a reset breaks the connection of ioredis after the command was executed", () =>
  overResp(async (client) => {
    const fault = await inject({ kind: "reset", executed: true, command: "INCR", next: 1 });
    await assert.rejects(client.incr("n"));
    assert.equal(await fault.effective(), 1);
    assert.equal(await redis.get("n"), 1);
  }));

test("a stale read shows the past", async () => {
  await redis.set("key", "old");
  await advance(1_000);
  await redis.set("key", "new");
  const fault = await inject({ kind: "stale-read", lag: "500ms", command: "GET" });
  assert.equal(await connect({ readYourWrites: false }).get("key"), "old");
  assert.equal(await fault.effective(), 1);
  // The client that wrote sends a sync token, before which nothing is read.
  assert.equal(await redis.get("key"), "new");
  assert.equal(await fault.effective(), 1);
});

test("a failover loses a lock that was granted, and two hold it", async () => {
  const one = lock();
  assert.equal(await one.acquire(), true);
  await failover({ lose: "1s", down: "0s" });
  assert.equal(await lock().acquire(), true);
  assert.equal(await one.getStatus(), "FREE");
});

test("a restart loses everything, scripts too", async () => {
  await redis.set("key", "value");
  const sha1 = await redis.scriptLoad("return 1");
  await restart();
  assert.equal(await redis.get("key"), null);
  await assert.rejects(redis.evalsha(sha1, [], []), /NOSCRIPT/);
});
