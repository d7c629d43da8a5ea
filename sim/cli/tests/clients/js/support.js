// How the tests reach the server that the test in Rust has started, and how they steer it.
import { webcrypto } from "node:crypto";
import { beforeEach } from "node:test";

// Node.js 18 has it, but not where @upstash/lock looks for it.
globalThis.crypto ??= webcrypto;

const need = (name) => process.env[name] ?? fail(`${name} is not set: run cargo test --test clients`);

function fail(text) {
  throw new Error(text);
}

export const REST_URL = need("LEASEHOLD_REST_URL");
export const REST_TOKEN = need("LEASEHOLD_TOKEN");
export const READ_ONLY_TOKEN = need("LEASEHOLD_READ_ONLY_TOKEN");
export const RESP_URL = need("LEASEHOLD_RESP_URL");

const ADMIN_URL = need("LEASEHOLD_ADMIN_URL");
const ADMIN_TOKEN = need("LEASEHOLD_ADMIN_TOKEN");

async function admin(method, path, body) {
  const response = await fetch(ADMIN_URL + path, {
    method,
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) fail(`${method} ${path}: ${answer.error}`);
  return answer;
}

/// Injects a fault; the answer tells later how often it took effect.
export async function inject(rule) {
  const { id } = await admin("POST", "/faults", rule);
  return { effective: async () => (await admin("GET", `/faults/${id}`)).rule.effective };
}

/// Lets so many milliseconds pass on the server.
export const advance = (ms) => admin("POST", "/clock", { advance_ms: ms });
export const failover = (body) => admin("POST", "/failover", body);
export const restart = () => admin("POST", "/restart", {});

/// Whoever tests here begins with an empty server, without faults, whose clock stands still.
export function cleanServer() {
  beforeEach(async () => {
    await admin("DELETE", "/faults");
    await admin("POST", "/flush");
    await admin("POST", "/clock", { mode: "frozen" });
  });
}

/// Resolves with the next event.
export const once = (emitter, name) => new Promise((resolve) => emitter.once(name, resolve));
