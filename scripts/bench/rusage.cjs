// Preloaded by the bench: tells what the process used, on file descriptor 3, when it ends; with --expose-gc also what of its
// heap is still held then.
const { writeSync } = require("node:fs");
process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  global.gc?.();
  const heldMb = process.memoryUsage().heapUsed / 1e6;
  writeSync(3, JSON.stringify({ cpuMs: (userCPUTime + systemCPUTime) / 1000, memoryMb: maxRSS / 1024, heldMb }));
});
