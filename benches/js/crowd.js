// Tasks that take and release a key each, as @upstash/lock does it: crowd.js TASKS CYCLES.
// Prints how many cycles there were, and the milliseconds that they took.
import { Redis } from "@upstash/redis";

const [tasks, cycles] = process.argv.slice(2).map(Number);
const redis = Redis.fromEnv({ enableAutoPipelining: true });
const RELEASE = 'if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) else return 0 end';

async function task(key, share) {
  for (let cycle = 0; cycle < share; cycle += 1) {
    const token = crypto.randomUUID();
    if ((await redis.set(key, token, { nx: true, px: 10_000 })) !== "OK") throw new Error("held");
    if ((await redis.eval(RELEASE, [key], [token])) !== 1) throw new Error("lost");
  }
}

const crowd = (share) =>
  Promise.all(Array.from({ length: tasks }, (_, number) => task(`peer:${number}`, share)));

const share = Math.ceil(cycles / tasks);
await crowd(Math.ceil(share / 10));
const start = performance.now();
await crowd(share);
console.log(share * tasks, performance.now() - start);
