// Timers. Pairs are run in turn, so that whatever else the machine does falls on both.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const RUSAGE = fileURLToPath(new URL("rusage.cjs", import.meta.url));

export const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/**
 * Runs commands in turn, `runs` times each after one that does not count.
 *
 * @param commands `{ args, env, before?, status? }`: arguments of this Node binary, or a whole `command`
 * @returns the wall times of each in milliseconds, in the order of the runs
 */
export function wallTimes(commands, runs) {
  const times = commands.map(() => []);
  for (let run = -1; run < runs; run++) {
    for (const [index, one] of commands.entries()) {
      one.before?.();
      const start = performance.now();
      const result = spawnSync(...toSpawn(one));
      const ms = performance.now() - start;
      check(one, result);
      if (run >= 0) times[index].push(ms);
    }
  }
  return times;
}

/** CPU time (user and system, ms), peak memory and heap held at the end (MB) of Node commands, as they tell themselves. */
export function usages(commands, runs) {
  const used = commands.map(() => ({ cpu: [], memory: [], held: [] }));
  for (let run = -1; run < runs; run++) {
    for (const [index, one] of commands.entries()) {
      one.before?.();
      const [file, args, options] = toSpawn({ ...one, args: ["-r", RUSAGE, ...one.args] });
      const result = spawnSync(file, args, { ...options, stdio: ["ignore", "pipe", "pipe", "pipe"] });
      check(one, result);
      if (run < 0) continue;
      const { cpuMs, memoryMb, heldMb } = JSON.parse(result.output[3]);
      used[index].cpu.push(cpuMs);
      used[index].memory.push(memoryMb);
      used[index].held.push(heldMb);
    }
  }
  return used;
}

/** CPU time of a command with all that it starts, by the shell's `times`; a run that does not count comes first. */
export function cpuWithChildren(commands, runs) {
  const times = commands.map(() => []);
  for (let run = -1; run < runs; run++) {
    for (const [index, one] of commands.entries()) {
      one.before?.();
      const [file, args, options] = toSpawn(one);
      const script = '"$@" > /dev/null; status=$?; times >&3; exit $status';
      const result = spawnSync("bash", ["-c", script, "bash", file, ...args], { ...options, stdio: ["ignore", "pipe", "pipe", "pipe"] });
      check(one, result);
      const [, children] = String(result.output[3]).trim().split("\n");
      const ms = [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, m, s]) => sum + Number(m) * 60_000 + Number(s) * 1000, 0);
      if (run >= 0) times[index].push(ms);
    }
  }
  return times;
}

function toSpawn({ command = [process.execPath], args = [], env = {} }) {
  const [file, ...first] = command;
  return [file, [...first, ...args], { env: { PATH: process.env.PATH, ...env }, stdio: ["ignore", "ignore", "pipe"], cwd: "/" }];
}

function check({ command = ["node"], args = [], status = 0 }, result) {
  if (result.status === status) return;
  throw new Error(`${[...command, ...args].join(" ")} ended with ${result.status ?? result.signal}: ${result.stderr}`);
}

/** The median of the ratios of paired runs, which is steadier than the ratio of the medians. */
export const ratioOf = (ours, base) => median(ours.map((value, index) => value / base[index]));
