"use strict";

const { spawn } = require("node:child_process");
const { LeaseholdError } = require("./error.js");

/** For how long a server may take to say where it listens; it takes some milliseconds. */
const PATIENCE_MS = 30_000;

/** How much of what it prints is kept for an error. */
const TAIL = 16_384;

/**
 * Starts the program, and waits until it says where it listens. It ends with the pipe that it reads
 * from, and that pipe with this process, also if this process is killed.
 */
async function launch({ bin, args, env }) {
  const { program, origin } = which(bin);
  const child = spawn(program, args, { env, stdio: ["pipe", "pipe", "pipe"], windowsHide: true });
  // It may have ended before we close the pipe.
  child.stdin.on("error", () => {});
  const said = { stderr: "" };
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text) => {
    said.stderr = (said.stderr + text).slice(-TAIL);
  });
  try {
    const addresses = JSON.parse(await firstLine(child, said, { program, origin }));
    // From here on, none of it keeps this process from ending.
    for (const handle of [child, ...child.stdio]) handle.unref();
    return { child, addresses };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

/** The program to run, and who says so. */
function which(bin) {
  if (bin) return { program: bin, origin: "the option `bin` names it" };
  const named = process.env.LEASEHOLD_BIN;
  if (named) return { program: named, origin: "LEASEHOLD_BIN names it" };
  return { program: "leasehold", origin: "it is looked for in PATH" };
}

function firstLine(child, said, { program, origin }) {
  return new Promise((resolve, reject) => {
    let text = "";
    const timer = setTimeout(() => {
      const seconds = PATIENCE_MS / 1_000;
      reject(new LeaseholdError("NOT_STARTED", `${program} said nothing within ${seconds} s`));
    }, PATIENCE_MS);
    const settle = (how, value) => {
      clearTimeout(timer);
      how(value);
    };
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (part) => {
      text += part;
      const end = text.indexOf("\n");
      if (end >= 0) settle(resolve, text.slice(0, end));
    });
    child.on("error", (cause) => settle(reject, notRun(program, origin, cause)));
    // When all that it printed has been read.
    child.on("close", (code, signal) => {
      const how = signal ? `was ended by ${signal}` : `ended with status ${code}`;
      const text = `${program} ${how} before it listened: ${said.stderr.trim() || "it said nothing"}`;
      settle(reject, new LeaseholdError("NOT_STARTED", text));
    });
  });
}

function notRun(program, origin, cause) {
  const text =
    `cannot run \`${program}\` (${cause.code ?? cause.message}); ${origin}. Install it by ` +
    "`cargo install leasehold`, or set LEASEHOLD_BIN to where it is.";
  return new LeaseholdError("NO_BINARY", text, { cause });
}

/** Ends the program, and waits for its end. It keeps nothing, so there is nothing to wait for. */
async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.ref();
  child.stdin.destroy();
  child.kill("SIGKILL");
  await ended;
}

module.exports = { end, launch };
