"use strict";

class LeaseholdError extends Error {
  constructor(code, message, { status, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "LeaseholdError";
    this.code = code;
    this.status = status;
  }
}

module.exports = { LeaseholdError };
