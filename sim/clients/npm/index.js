"use strict";

const { LeaseholdError } = require("./lib/error.js");
const { Fault, Server, start } = require("./lib/server.js");

module.exports = { Fault, LeaseholdError, Server, start };
