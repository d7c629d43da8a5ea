"use strict";

// Neither `fetch` nor an agent that a test may have replaced: a call must reach the server.
const http = require("node:http");
const { LeaseholdError } = require("./error.js");

/** Calls of the admin endpoint. */
class Admin {
  #url;
  #token;

  constructor(url, token) {
    this.#url = new URL(url);
    this.#token = token;
  }

  /** What it answers. */
  async call(method, path, body) {
    const { status, text } = await this.#send(method, path, body);
    if (status === 200) return JSON.parse(text);
    throw new LeaseholdError("REFUSED", sentence(text) ?? `${method} ${path}: ${status}`, { status });
  }

  #send(method, path, body) {
    const sent = body === undefined ? "" : JSON.stringify(body);
    const { hostname, port } = this.#url;
    const headers = {
      Authorization: `Bearer ${this.#token}`,
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(sent),
    };
    return new Promise((resolve, reject) => {
      const gone = (cause) => {
        const text = `the server does not answer (${cause.code ?? cause.message}): has it ended?`;
        reject(new LeaseholdError("GONE", text, { cause }));
      };
      const options = { hostname, port, method, path, headers, agent: false };
      const request = http.request(options, (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (part) => {
          text += part;
        });
        answer.on("end", () => resolve({ status: answer.statusCode, text }));
        answer.on("error", gone);
      });
      request.on("error", gone);
      request.end(sent);
    });
  }
}

function sentence(text) {
  try {
    return JSON.parse(text).error;
  } catch {
    return undefined;
  }
}

module.exports = { Admin };
