// @upstash/ratelimit, over REST. Its scripts say allow-key-locking, which a Redis refuses.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis";
import { REST_TOKEN, REST_URL, advance, cleanServer } from "./support.js";

cleanServer();
const redis = new Redis({ url: REST_URL, token: REST_TOKEN });

// The client names windows by its own clock, the server forgets them by its.
const HOUR = 3_600_000;
let now = 1_700_000_000_000 - (1_700_000_000_000 % HOUR);
mock.method(Date, "now", () => now);

async function pass(ms) {
  now += ms;
  await advance(ms);
}

const limits = {
  "a fixed window": Ratelimit.fixedWindow(3, "1 h"),
  "a sliding window": Ratelimit.slidingWindow(3, "1 h"),
  "a bucket of tokens": Ratelimit.tokenBucket(3, "1 h", 3),
};

for (const [name, limiter] of Object.entries(limits)) {
  test(`${name} lets three through, and again later`, async () => {
    const limit = new Ratelimit({ redis, limiter, ephemeralCache: false, timeout: 0 });
    const tries = async () => {
      const answers = [];
      for (let count = 0; count < 4; count++) answers.push((await limit.limit("user")).success);
      return answers;
    };
    assert.deepEqual(await tries(), [true, true, true, false]);
    await pass(2 * HOUR);
    assert.deepEqual(await tries(), [true, true, true, false]);
  });
}

test("what remains is told, and forgotten on request", async () => {
  const limiter = Ratelimit.fixedWindow(3, "1 h");
  const limit = new Ratelimit({ redis, limiter, ephemeralCache: false, timeout: 0 });
  assert.equal((await limit.limit("user")).remaining, 2);
  assert.equal((await limit.getRemaining("user")).remaining, 2);
  await limit.resetUsedTokens("user");
  assert.equal((await limit.getRemaining("user")).remaining, 3);
});
