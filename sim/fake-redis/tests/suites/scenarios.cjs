// Small scenarios with packages from npm: node scenarios.cjs PORT
const assert = require('node:assert');
const { Queue, Worker } = require('bullmq');
const { Redis } = require('ioredis');
const { RateLimiterRedis } = require('rate-limiter-flexible');
const Redlock = require('redlock');

const connection = { host: '127.0.0.1', port: Number(process.argv[2]), maxRetriesPerRequest: null };

const scenarios = {
  async 'bullmq runs every job once'() {
    const queue = new Queue('jobs', { connection });
    await queue.addBulk(Array.from({ length: 50 }, (_, n) => ({ name: 'job', data: { n } })));
    const seen = [];
    const worker = new Worker('jobs', async (job) => seen.push(job.data.n), { connection, concurrency: 5 });
    await new Promise((resolve, reject) => {
      worker.on('error', reject);
      worker.on('completed', () => seen.length === 50 && resolve());
    });
    assert.deepEqual(seen.sort((a, b) => a - b), Array.from({ length: 50 }, (_, n) => n));
    await worker.close();
    await queue.close();
  },
  async 'bullmq tries a failed job again'() {
    const queue = new Queue('again', { connection });
    await queue.add('job', {}, { attempts: 3, backoff: 10 });
    let tries = 0;
    const worker = new Worker('again', async () => { if (++tries < 3) throw new Error('not yet'); }, { connection });
    await new Promise((resolve) => worker.on('completed', resolve));
    assert.equal(tries, 3);
    await worker.close();
    await queue.close();
  },
  async 'bullmq trims its events'() {
    const queue = new Queue('events', { connection, streams: { events: { maxLen: 20 } } });
    const client = new Redis(connection);
    // The queue tells the server of its bound by and by.
    while (!(await client.hget('bull:events:meta', 'opts.maxLenEvents')));
    await queue.addBulk(Array.from({ length: 500 }, (_, n) => ({ name: 'job', data: { n } })));
    const length = await client.xlen('bull:events:events');
    client.disconnect();
    assert(length < 500, `${length} events`);
    assert(await queue.trimEvents(0) > 0);
    await queue.close();
  },
  async 'rate-limiter-flexible counts and refuses'() {
    const storeClient = new Redis(connection);
    const limiter = new RateLimiterRedis({ storeClient, points: 3, duration: 60, blockDuration: 60 });
    for (let n = 0; n < 3; n++) assert.equal((await limiter.consume('user')).remainingPoints, 2 - n);
    await assert.rejects(limiter.consume('user'), (refusal) => refusal.msBeforeNext > 0);
    await limiter.delete('user');
    assert.equal((await limiter.consume('user')).remainingPoints, 2);
    storeClient.disconnect();
  },
  async 'redlock excludes, extends and releases'() {
    const client = new Redis(connection);
    const redlock = new Redlock([client], { retryCount: 0 });
    const lock = await redlock.lock('resource', 5000);
    await assert.rejects(redlock.lock('resource', 5000));
    await lock.extend(9000);
    assert(await client.pttl('resource') > 5000);
    await lock.unlock();
    await (await redlock.lock('resource', 5000)).unlock();
    client.disconnect();
  },
};

(async () => {
  for (const [name, scenario] of Object.entries(scenarios)) {
    const late = new Promise((_, reject) => setTimeout(reject, 20000, new Error('late')).unref());
    const verdict = await Promise.race([scenario(), late]).then(() => 'ok', (error) => `FAILED ${error.message}`);
    console.log(`${name}: ${verdict}`);
  }
  process.exit(0);
})();
