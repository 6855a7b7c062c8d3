// `rolefresh watch` for a number of simulated hours: its sleeps take no time and move its clock and the sandbox's.
// Prints JSON: heap in use after each hour, CPU of rounds with nothing due and of those that refreshed.
// usage: node --expose-gc watch-day.mjs HOME HOURS       with the sandbox's environment
import { Failure } from "../../build/src/base/failure.js";
import { main } from "../../build/src/main.js";
import { testWorld } from "../../build/test/support/test-world.js";

const [home, hours] = process.argv.slice(2);
const { AWS_ENDPOINT_URL_STS: sts } = process.env;
const controller = new AbortController();
const world = testWorld({ home, env: { ...process.env, HOME: home }, argv: ["watch"], interrupted: controller.signal });
const start = world.now().getTime();
const heap = [];
const cycles = [];
let before = process.cpuUsage();
let toldHours = 0;

const sleep = async (ms, signal) => {
  if (ms < 1000) return world.sleep(ms, signal);
  const { user, system } = process.cpuUsage(before);
  const refreshed = world.written.err.length > 0;
  cycles.push({ ms: (user + system) / 1000, refreshed });
  world.written.err = "";
  world.written.out = "";
  world.advance(ms);
  await fetch(`${sts}/_sandbox/advance`, { method: "POST", body: JSON.stringify({ ms }) });
  const passed = (world.now().getTime() - start) / 3600_000;
  if (passed >= toldHours + 1) {
    toldHours = Math.floor(passed);
    globalThis.gc();
    heap.push(process.memoryUsage().heapUsed / 1024 / 1024);
  }
  if (passed >= Number(hours)) controller.abort(new Failure("INTERRUPTED", "the day is over"));
  signal.throwIfAborted();
  before = process.cpuUsage();
};
await main({ ...world, sleep });
console.log(JSON.stringify({ heap, cycles, peakMb: process.resourceUsage().maxRSS / 1024 }));
