import type { FileHandle } from "node:fs/promises";
import * as fs from "node:fs/promises";
import type { FileOps } from "../../src/safe-file/file-ops.ts";

/** File operations of which one fails, and a record of those that were called: `open`, `rename`, `handle.write`, … */
export interface FaultyOps {
  readonly ops: FileOps;
  readonly calls: readonly string[];
}

const CALLS: ReadonlySet<string> = new Set(["open", "rename", "unlink", "mkdir", "lstat", "readdir"]);
/** A failed close closes all the same (close(2)), so it is done, then reported. */
const HANDLE_CALLS: ReadonlySet<string> = new Set([
  "write",
  "chmod",
  "chown",
  "sync",
  "close",
  "stat",
  "truncate",
  "readFile",
]);

/**
 * Real file operations whose `n`-th call (from 0) fails with `errno`; with `n` undefined none does.
 *
 * @param before is run before each call: a place to interfere from outside.
 */
export function failNth(
  n: number | undefined,
  errno: string,
  before: (call: string) => void | Promise<void> = () => {},
): FaultyOps {
  const calls: string[] = [];
  const count = async (call: string): Promise<boolean> => {
    await before(call);
    calls.push(call);
    return calls.length - 1 === n;
  };
  const error = (call: string): Error =>
    Object.assign(new Error(`${errno}: injected, ${call}`), { code: errno, syscall: call });
  const wrapHandle = (handle: FileHandle): FileHandle =>
    new Proxy(handle, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        const call = String(name);
        return async (...args: readonly unknown[]): Promise<unknown> => {
          const fails = HANDLE_CALLS.has(call) && (await count(`handle.${call}`));
          if (fails && call !== "close") throw error(call);
          const result: unknown = await Reflect.apply(value, target, args);
          if (fails) throw error(call);
          return result;
        };
      },
    });
  const ops = Object.fromEntries(
    Object.entries(fs)
      .filter(([name]) => CALLS.has(name))
      .map(([name, value]) => [
        name,
        async (...args: readonly unknown[]): Promise<unknown> => {
          if (await count(name)) throw error(name);
          const result: unknown = await Reflect.apply(value as () => unknown, fs, args);
          return name === "open" ? wrapHandle(result as FileHandle) : result;
        },
      ]),
  ) as unknown as FileOps;
  return { ops, calls };
}
