// What the README says of retries: with these settings a command whose reply is lost is executed once.
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { Redis as Upstash } from "@upstash/redis";
import { Redis as Ioredis } from "ioredis";
import { createClient } from "redis";
import { start } from "leasehold-test";

const server = await start({ clock: "real" });
after(() => server.stop());
beforeEach(() => server.reset());

/** Increments with a client that loses the first reply; how often that was executed, and the reply. */
async function increments(increment) {
  const fault = await server.fault("reply-loss command=INCR next=1");
  const reply = await increment().catch(() => "an error");
  assert.equal(await fault.effective(), 1);
  const rest = new Upstash({ url: server.restUrl, token: server.restToken });
  return [Number(await rest.get("count")), reply];
}

async function nodeRedis(options) {
  const client = createClient({ url: server.url, ...options });
  client.on("error", () => {});
  await client.connect();
  const found = await increments(() => client.incr("count"));
  client.destroy();
  return found;
}

async function ioredis(options) {
  const client = new Ioredis(server.url, options);
  client.on("error", () => {});
  await client.ping();
  const found = await increments(() => client.incr("count"));
  client.disconnect();
  return found;
}

function upstash(options) {
  const client = new Upstash({ url: server.restUrl, token: server.restToken, ...options });
  return increments(() => client.incr("count"));
}

test("node-redis", async () => {
  const off = { disableOfflineQueue: true, socket: { reconnectStrategy: false } };
  assert.deepEqual(await nodeRedis(off), [1, "an error"]);
  await server.reset();
  assert.deepEqual(await nodeRedis({}), [1, "an error"]);
});

test("ioredis", async () => {
  assert.deepEqual(await ioredis({ maxRetriesPerRequest: 0, retryStrategy: null }), [1, "an error"]);
  await server.reset();
  assert.deepEqual(await ioredis({}), [2, 2]);
});

test("@upstash/redis", async () => {
  assert.deepEqual(await upstash({ retry: { retries: 0 } }), [1, "an error"]);
  await server.reset();
  assert.deepEqual(await upstash({ retry: false }), [2, 2]);
  await server.reset();
  assert.deepEqual(await upstash({ retry: { retries: 5, backoff: () => 1 } }), [2, 2]);
  await server.reset();
  assert.deepEqual(await upstash({}), [2, 2]);
});
