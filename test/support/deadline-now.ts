// For `node --import` (see overdue.ts): SIGUSR2 makes the deadline of `--timeout 1h` come now.
const HOUR = 3_600_000;

let aheadMs = 0;
const long = new Map<NodeJS.Timeout, () => void>();
const { setTimeout: set, clearTimeout: clear } = globalThis;
const monotonicMs = performance.now.bind(performance);

performance.now = () => monotonicMs() + aheadMs;
Object.assign(globalThis, {
  setTimeout: (work: (...args: readonly unknown[]) => void, ms?: number, ...args: readonly unknown[]) => {
    const timer = set(work, ms, ...args);
    if (ms !== undefined && ms >= HOUR) long.set(timer, () => work(...args));
    return timer;
  },
  clearTimeout: (timer: NodeJS.Timeout | undefined) => {
    if (timer !== undefined) long.delete(timer);
    clear(timer);
  },
});

process.on("SIGUSR2", () => {
  aheadMs += HOUR;
  for (const [timer, work] of long) {
    clear(timer);
    work();
  }
  long.clear();
});
