// Runs Azurite on a leash held by who started it.
//
// Run as `node leash.js AZURITE_MAIN OPTION...`. Standard input is the leash: each line is a
// command, answered by a line on standard output, and its end, also when the process that holds
// the other end is killed, ends this process. What Azurite prints is its record of requests; the
// last lines are kept, and each is counted.
//
//     advance SECONDS     move Azurite's clock on
//     report              memory, and the requests that were answered, as JSON
//
// The line `ready` is written, unasked, once all three services listen.

"use strict";

const fs = require("fs");
const readline = require("readline");

const KEPT = 200;
const SERVICES = 3;

const RealDate = Date;
let skipped = 0;

// Azurite reads the time of day from Date alone; what waits, waits in real time.
globalThis.Date = new Proxy(RealDate, {
  construct(target, given, asked) {
    const filled = given.length === 0 ? [target.now() + skipped] : given;
    return Reflect.construct(target, filled, asked);
  },
  apply(target) {
    return new target(target.now() + skipped).toString();
  },
  get(target, name, receiver) {
    return name === "now" ? () => target.now() + skipped : Reflect.get(target, name, receiver);
  },
});

function answer(line) {
  fs.writeSync(1, line + "\n");
}

const last = [];
const counts = {};
let listening = 0;

function take(line) {
  if (line.includes("successfully listening at")) {
    listening += 1;
    if (listening === SERVICES) {
      answer("ready");
    }
    return;
  }
  const request = /"([A-Z]+) \S+ HTTP\/[0-9.]+" (\d{3})/.exec(line);
  if (request === null) {
    return;
  }
  const key = request[1] + " " + request[2];
  counts[key] = (counts[key] || 0) + 1;
  last.push(line);
  if (last.length > KEPT) {
    last.shift();
  }
}

let begun = "";
process.stdout.write = function write(chunk, encoding, done) {
  const lines = (begun + chunk).split("\n");
  begun = lines.pop();
  lines.forEach(take);
  const called = typeof encoding === "function" ? encoding : done;
  if (called) {
    process.nextTick(called);
  }
  return true;
};

readline
  .createInterface({ input: process.stdin, terminal: false })
  .on("line", (line) => {
    const [word, argument] = line.trim().split(" ");
    if (word === "advance") {
      skipped += Number(argument) * 1000;
      answer("done");
    } else if (word === "report") {
      const memory = process.memoryUsage().rss;
      answer(JSON.stringify({ memory, calls: counts, last }));
    } else {
      answer("unknown");
    }
  })
  .on("close", () => process.exit(0));

process.on("SIGTERM", () => process.exit(0));

const main = process.argv[2];
process.argv.splice(1, 2, main);
require(main);
