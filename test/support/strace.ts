import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { BIN, runProgram, type RunOptions, type RunResult } from "./run-bin.ts";
import { toolMissing } from "./tool.ts";

/** One system call of the traced program. */
export interface SystemCall {
  readonly name: string;
  /** The first file it names, by path or descriptor; undefined for none. */
  readonly path: string | undefined;
  /** Which of the calls of this name on this file in its own thread it was, from 1: what strace's `when=` counts with `-P`. */
  readonly ordinal: number;
  /** The order in which calls began, over all threads. */
  readonly at: bigint;
  /** Arguments and result as strace prints them, file descriptors with their paths. */
  readonly text: string;
  /** Whether strace put its error, signal or result in the place of the real one. */
  readonly isInjected: boolean;
}

export interface Traced extends RunResult {
  /** In the order in which they began. */
  readonly calls: readonly SystemCall[];
}

/** Everything that touches a file; what is not in a list costs nothing, thanks to strace's `--seccomp-bpf`. */
export const FILE_CALLS =
  "open,openat,creat,read,pread64,readv,preadv,write,pwrite64,writev,pwritev,fsync,fdatasync,close,stat,lstat,fstat,newfstatat," +
  "statx,getdents64,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,readlink," +
  "readlinkat,chmod,fchmod,fchmodat,chown,lchown,fchown,fchownat,utime,utimes,utimensat,futimesat,truncate,ftruncate," +
  "copy_file_range,access,faccessat,faccessat2";

/** Why strace cannot be used here, or undefined. Containers often forbid ptrace(2). */
export function straceMissing(): string | undefined {
  return toolMissing("strace", ["-f", "-qq", "--seccomp-bpf", "-e", "trace=openat", "-o", "/dev/null", "true"]);
}

export interface StraceOptions extends RunOptions {
  /** For example `fsync:error=EIO:when=1`, of the calls on one file. */
  readonly inject?: { readonly what: string; readonly path: string };
  /** The calls to record; default FILE_CALLS. */
  readonly calls?: string;
  /**
   * Makes the numbers of the main thread's calls differ from those of the other's, so that one call is hit and no namesake
   * of it (see fixed-random.ts). Not for signals, which would come too early.
   */
  readonly isSeparate?: boolean;
}

const FIXED = {
  UV_THREADPOOL_SIZE: "1",
  NODE_OPTIONS: `--import=${new URL("fixed-random.js", import.meta.url).href}`,
};

/**
 * Runs the built program under strace. libuv does its file work in one thread here, and temp files always get the same
 * name, so that every run makes the same calls.
 */
export async function runStraced(args: readonly string[], options: StraceOptions): Promise<Traced> {
  const { inject, calls = FILE_CALLS, isSeparate = false, ...run } = options;
  const counted = isSeparate ? countedPaths(run.env) : [];
  const directory = await mkdtemp(join(tmpdir(), "rolefresh-strace-"));
  try {
    const result = await runProgram(
      "strace",
      [
        "-ff",
        "-qq",
        "-y",
        "--absolute-timestamps=format:unix,precision:ns",
        // strace 6.1 with --seccomp-bpf injects no signals, without a word.
        ...(inject?.what.includes(":signal=") ? [] : ["--seccomp-bpf"]),
        `--output=${join(directory, "thread")}`,
        `--trace=${calls}`,
        "--signal=none",
        ...(inject === undefined ? [] : [`--inject=${inject.what}`, `--trace-path=${inject.path}`]),
        process.execPath,
        BIN,
        ...args,
      ],
      { ...run, env: { ...run.env, ...FIXED, TEST_COUNTED_PATHS: counted.join(":") } },
    );
    // What strace itself says of a --trace-path that is not in its plainest form.
    const stderr = result.stderr.replace(/^strace: Requested path .*\n/gm, "");
    return { ...result, stderr, calls: await readTraces(directory) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function countedPaths(env: StraceOptions["env"]): readonly string[] {
  const credentials = env["AWS_SHARED_CREDENTIALS_FILE"] ?? join(env["HOME"] ?? "/", ".aws", "credentials");
  return [credentials, `${credentials}.lock`, dirname(credentials), dirname(dirname(credentials))];
}

async function readTraces(directory: string): Promise<readonly SystemCall[]> {
  const calls: SystemCall[] = [];
  for (const name of await readdir(directory)) {
    const counts = new Map<string, number>();
    for (const line of (await readFile(join(directory, name), "utf8")).split("\n")) {
      const found = /^(\d+)\.(\d{9}) (\w+)(\(.*)$/.exec(line);
      if (!found) continue;
      const [, seconds = "", nanoseconds = "", call = "", text = ""] = found;
      const path = /"(\/[^"]*)"|\d+<(\/[^>]*)>/.exec(text)?.slice(1).find(Boolean);
      const key = `${call} ${path}`;
      const ordinal = (counts.get(key) ?? 0) + 1;
      counts.set(key, ordinal);
      calls.push({
        name: call,
        path,
        ordinal,
        at: BigInt(seconds + nanoseconds),
        text,
        isInjected: /\((?:INJECTED|DELAYED)[^)]*\)$/.test(text),
      });
    }
  }
  return calls.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}
