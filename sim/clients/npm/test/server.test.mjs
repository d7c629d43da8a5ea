import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { after, before, beforeEach, test } from "node:test";
import { LeaseholdError, start } from "leasehold-test";

let server;
before(async () => {
  server = await start();
});
after(() => server?.stop());
beforeEach(() => server.reset());

/** What the server at this address replies to commands, one a line. */
async function ask(lines, { url } = server) {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => {});
  socket.end(`${lines.join("\r\n")}\r\n`);
  let text = "";
  for await (const part of socket) text += part;
  return text;
}

const refused = (text) => (error) => {
  assert.ok(error instanceof LeaseholdError);
  assert.equal(error.code, "REFUSED");
  assert.match(error.message, text);
  return true;
};

test("time passes when it is told to", async () => {
  await ask(["SET key value PX 1000"]);
  const before = await server.clock();
  assert.equal(before.rate, 0);
  const now = await server.advance(1_001);
  assert.equal(now.unix_ms, before.unix_ms + 1_001);
  assert.equal(await ask(["GET key"]), "$-1\r\n");
  assert.equal((await server.setClock({ mode: "real" })).rate, 1);
});

test("a fault is injected, and tells of it", async () => {
  const fault = await server.fault("reply-loss command=SET next=1");
  assert.equal(await fault.effective(), 0);
  assert.equal(await ask(["SET key value"]), "");
  assert.equal(await fault.effective(), 1);
  const [injection] = await fault.injections();
  assert.deepEqual([injection.command, injection.keys], ["SET", ["key"]]);
  const { rules, injections } = await server.faults();
  assert.deepEqual([rules[0], injections[0]], [await fault.rule(), injection]);
  await fault.remove();
  await assert.rejects(fault.rule(), refused(/there is no rule/));
});

test("a fault is an object, too", async () => {
  const fault = await server.fault({ kind: "error", text: "OOM", command: ["SET", "INCR"] });
  assert.match(await ask(["INCR a"]), /^-OOM/);
  assert.equal((await fault.rule()).kind, "error");
  await server.clearFaults();
  assert.deepEqual(await server.faults(), { rules: [], injections: [] });
});

test("a request that is held is released", async () => {
  const fault = await server.fault("hold command=SET next=1");
  const held = ask(["SET key held"]);
  while (!(await fault.rule()).injected);
  assert.equal(await ask(["GET key"]), "$-1\r\n");
  assert.equal(await fault.release(), 1);
  assert.equal(await held, "+OK\r\n");
});

test("the requests are told", async () => {
  await ask(["SET key value"]);
  const last = (await server.requests()).at(-1);
  assert.deepEqual([last.transport, last.commands], ["resp", [{ name: "SET", keys: ["key"] }]]);
});

test("a snapshot is what the server goes back to", async () => {
  await ask(["SET key value PX 1000"]);
  const id = await server.snapshot();
  await server.advance(5_000);
  await server.flush();
  await server.restore(id);
  assert.equal(await ask(["PTTL key"]), ":1000\r\n");
  await assert.rejects(server.restore("none"), refused(/there is no snapshot `none`/));
});

test("a reset takes away keys, faults and what the clock was told", async () => {
  await ask(["SET key value"]);
  await server.fault("hang");
  await server.setClock({ rate: 5, jump_ms: 86_400_000 });
  await server.reset();
  assert.equal(await ask(["DBSIZE"]), ":0\r\n");
  assert.deepEqual((await server.faults()).rules, []);
  const clock = await server.clock();
  assert.equal(clock.rate, 0);
  assert.ok(clock.unix_ms < Date.now() + 3_600_000);
});

test("a failover and a restart lose data", async () => {
  await ask(["SET a 1"]);
  assert.deepEqual(await server.failover({ lose: "1s" }), { writes: 1, keys: 1 });
  await ask(["SET b 1"]);
  assert.equal((await server.restart()).keys, 1);
});

test("a wrong call is refused with the server's sentence", async () => {
  await assert.rejects(server.fault("explode"), refused(/choose one of latency/));
  await assert.rejects(server.advance("soon"), refused(/invalid type/));
});

test("code that reads its environment finds the server", async () => {
  const { REDIS_URL, UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN } = server.env;
  assert.deepEqual([REDIS_URL, UPSTASH_REDIS_REST_URL], [server.url, server.restUrl]);
  const headers = { Authorization: `Bearer ${UPSTASH_REDIS_REST_TOKEN}` };
  const answer = await fetch(`${UPSTASH_REDIS_REST_URL}/ping`, { headers });
  assert.deepEqual(await answer.json(), { result: "PONG" });
});

test("two servers share nothing, and one that was stopped is gone", async () => {
  const other = await start({ clock: "real", seed: 7 });
  await ask(["SET key value"], other);
  assert.equal(await ask(["DBSIZE"]), ":0\r\n");
  assert.equal((await other.clock()).rate, 1);
  await other.stop();
  await other.stop();
  const gone = (error) => error.code === "GONE" && /has it ended/.test(error.message);
  await assert.rejects(other.reset(), gone);
});

test("no secret is shown", async () => {
  const { inspect } = await import("node:util");
  assert.doesNotMatch(inspect(server, { depth: 9 }), /admin/i);
});

test("what cannot be run says how to install it", async () => {
  const named = process.env.LEASEHOLD_BIN;
  const path = process.env.PATH;
  const missing = (text) => (error) => {
    assert.equal(error.code, "NO_BINARY");
    assert.match(error.message, /cargo install leasehold/);
    assert.match(error.message, text);
    return true;
  };
  try {
    await assert.rejects(start({ bin: "/nowhere/leasehold" }), missing(/option `bin` names it/));
    process.env.LEASEHOLD_BIN = "/nowhere/leasehold";
    await assert.rejects(start(), missing(/`\/nowhere\/leasehold` \(ENOENT\); LEASEHOLD_BIN/));
    delete process.env.LEASEHOLD_BIN;
    process.env.PATH = "/nowhere";
    await assert.rejects(start(), missing(/looked for in PATH/));
  } finally {
    process.env.PATH = path;
    if (named) process.env.LEASEHOLD_BIN = named;
  }
});

test("what does not start tells why", async () => {
  const why = (text) => (error) => error.code === "NOT_STARTED" && text.test(error.message);
  await assert.rejects(start({ clock: "fast" }), why(/status 2 .* real, frozen, or a number/s));
  await assert.rejects(start({ bin: process.execPath }), why(/bad option|ended with status/));
  await assert.rejects(start({ port: 6379 }), /there is no option `port`/);
});

/** Starts a program that starts a server, and tells that server's number and address. */
async function owner(then) {
  const code = `
    const { start } = require("leasehold-test");
    start().then((server) => {
      process.stdout.write(server.pid + " " + server.url + "\\n", () => { ${then} });
    });`;
  const cwd = fileURLToPath(new URL(".", import.meta.url));
  const child = spawn(process.execPath, ["-e", code], { cwd, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  const [pid, url] = line.trim().split(" ");
  return { child, pid: Number(pid), url };
}

/** Completes once the server is gone; the test's own time-out tells if it never is. */
async function gone({ pid }) {
  const runs = () => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  while (runs()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const PATIENCE = { timeout: 60_000 };

test("a server does not keep its owner from ending, and ends with it", PATIENCE, async () => {
  const owned = await owner("");
  if (owned.child.exitCode === null) await once(owned.child, "exit");
  assert.equal(owned.child.exitCode, 0);
  await gone(owned);
});

test("nothing is left behind by an owner that is killed", PATIENCE, async () => {
  const owned = await owner("setInterval(() => {}, 1000)");
  assert.equal(await ask(["PING"], owned), "+PONG\r\n");
  owned.child.kill("SIGKILL");
  await gone(owned);
});
