"use strict";

const { randomBytes } = require("node:crypto");
const { Admin } = require("./admin.js");
const { end, launch } = require("./process.js");

const OPTIONS = ["bin", "clock", "seed"];

async function start(options = {}) {
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown) {
    throw new TypeError(`there is no option \`${unknown}\`: choose from ${OPTIONS.join(", ")}`);
  }
  const { bin, clock = "frozen", seed = 1 } = options;
  const [restToken, adminToken] = [secret(), secret()];
  const free = "127.0.0.1:0";
  const args = ["serve", "--json", "--until-stdin-closes", "--rest", free, "--resp", free];
  args.push("--admin", free, "--clock", String(clock), "--seed", String(seed));
  // What the server reads from the environment is said here, and nowhere else.
  const env = { ...process.env, LEASEHOLD_TOKEN: restToken, LEASEHOLD_ADMIN_TOKEN: adminToken };
  delete env.LEASEHOLD_PASSWORD;
  delete env.LEASEHOLD_READ_ONLY_TOKEN;
  const { child, addresses } = await launch({ bin, args, env });
  return new Server(child, addresses, restToken, new Admin(addresses.admin, adminToken));
}

function secret() {
  return randomBytes(16).toString("hex");
}

class Server {
  #child;
  #admin;

  constructor(child, addresses, restToken, admin) {
    this.#child = child;
    this.#admin = admin;
    this.url = addresses.resp;
    this.restUrl = addresses.rest;
    this.restToken = restToken;
    this.pid = child.pid;
  }

  get env() {
    return {
      REDIS_URL: this.url,
      UPSTASH_REDIS_REST_URL: this.restUrl,
      UPSTASH_REDIS_REST_TOKEN: this.restToken,
    };
  }

  advance(milliseconds) {
    return this.setClock({ advance_ms: milliseconds });
  }

  clock() {
    return this.#admin.call("GET", "/clock");
  }

  setClock(change) {
    return this.#admin.call("POST", "/clock", change);
  }

  async fault(rule) {
    const { id } = await this.#admin.call("POST", "/faults", rule);
    return new Fault(id, this.#admin);
  }

  faults() {
    return this.#admin.call("GET", "/faults");
  }

  async clearFaults() {
    await this.#admin.call("DELETE", "/faults");
  }

  async requests() {
    return (await this.#admin.call("GET", "/requests")).requests;
  }

  failover(how = {}) {
    return this.#admin.call("POST", "/failover", how);
  }

  restart(how = {}) {
    return this.#admin.call("POST", "/restart", how);
  }

  async flush() {
    await this.#admin.call("POST", "/flush");
  }

  async snapshot() {
    return (await this.#admin.call("POST", "/snapshot")).id;
  }

  async restore(id) {
    await this.#admin.call("POST", "/restore", { id });
  }

  async reset() {
    await this.#admin.call("POST", "/reset");
  }

  stop() {
    return end(this.#child);
  }
}

class Fault {
  #admin;
  #path;

  constructor(id, admin) {
    this.id = id;
    this.#admin = admin;
    this.#path = `/${encodeURIComponent(id)}`;
  }

  async rule() {
    return (await this.#admin.call("GET", `/faults${this.#path}`)).rule;
  }

  async injections() {
    return (await this.#admin.call("GET", `/faults${this.#path}`)).injections;
  }

  async effective() {
    return (await this.rule()).effective;
  }

  async remove() {
    await this.#admin.call("DELETE", `/faults${this.#path}`);
  }

  async release() {
    return (await this.#admin.call("POST", `/release${this.#path}`)).released;
  }
}

if (Symbol.asyncDispose) {
  Server.prototype[Symbol.asyncDispose] = Server.prototype.stop;
}

module.exports = { Fault, Server, start };
