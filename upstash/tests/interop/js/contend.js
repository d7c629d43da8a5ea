// One process that takes a lock by the published client, over and over, and says so in a list.
import { Lock } from "@upstash/lock";
import { Redis } from "@upstash/redis";

const need = (name) => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run cargo test --test interop`);
  return value;
};

const redis = new Redis({ url: need("LEASEHOLD_REST_URL"), token: need("LEASEHOLD_TOKEN") });
const [name, rounds] = [need("LEASEHOLD_NAME"), Number(need("LEASEHOLD_ROUNDS"))];
const retry = { attempts: 1_000_000, delay: 1 };
const lock = new Lock({ id: need("LEASEHOLD_LOCK"), redis, lease: 600_000, retry });
const say = (what) => redis.rpush(need("LEASEHOLD_HISTORY"), `${what} ${name}`);

async function rude() {
  await say("acquire");
  await say("release");
}

async function polite() {
  const first = await lock.acquire({ retry: { attempts: 1, delay: 0 } });
  await redis.rpush(need("LEASEHOLD_FIRST_TRIES"), `${name} ${first}`);
  if (first) await lock.release();
  for (let round = 0; round < rounds; round += 1) {
    if (!(await lock.acquire())) throw new Error("an acquire that waits was refused");
    await say("acquire");
    await say("release");
    if (!(await lock.release())) throw new Error("the lock was not ours at its release");
  }
}

await (need("LEASEHOLD_MANNERS") === "rude" ? rude() : polite());
