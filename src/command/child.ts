import { spawn } from "node:child_process";
// oxlint-disable-next-line no-restricted-imports -- /proc/self/stat, in a signal handler that cannot wait
import { readFileSync } from "node:fs";

import { errnoOf, Failure } from "../base/failure.ts";
import type { Environment, World } from "../base/world.ts";

/** Forwarded to the command. */
const FORWARDED = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"] as const;

/** A terminal sends these to the whole foreground group: the command has them already. */
const FROM_TERMINAL: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGQUIT", "SIGWINCH"]);

/**
 * Runs a command in rolefresh's place: same standard streams, process group, signals and exit status.
 *
 * It is a child and not an `execve`: Node has that only as an experiment (`process.execve`, since 22.15), which warns on
 * standard error and, when the command cannot be run, aborts with a core dump (nodejs/node pull request 62878 changes that).
 *
 * @returns the command's exit status; when it died of a signal, the process dies of the same one after `main`
 * @throws Failure COMMAND_NOT_FOUND (127), COMMAND_NOT_EXECUTABLE (126)
 */
export async function becomeChild(
  [program = "", ...args]: readonly string[],
  env: Environment,
  world: Pick<World, "takeSignal" | "dieOf" | "err" | "interrupted">,
): Promise<number> {
  if (program === "") throw notStarted(program, "ENOENT", undefined);
  world.interrupted.throwIfAborted();
  // From here on signals go to the command.
  let forward: (signal: NodeJS.Signals) => void = () => undefined;
  const giveBack = FORWARDED.map((signal) => world.takeSignal(signal, () => forward(signal)));
  try {
    return await new Promise((resolve, reject) => {
      const child = spawn(program, args, { env: { ...env }, stdio: "inherit" });
      forward = (signal) => {
        if (!FROM_TERMINAL.has(signal) || !isInForeground(world)) child.kill(signal);
      };
      child.on("error", (error) => reject(notStarted(program, errnoOf(error), error)));
      child.on("exit", (code, signal) => {
        if (signal !== null) world.dieOf(signal);
        resolve(code ?? 128);
      });
    });
  } finally {
    for (const give of giveBack) give();
  }
}

/**
 * Whether the terminal sends its signals to this process group, and so to the command. Forwarding Ctrl-C as well would
 * make it two, which many programs take for "stop at once"; Node does not tell who sent a signal.
 */
function isInForeground({ err }: Pick<World, "err">): boolean {
  try {
    // proc_pid_stat(5): after the name in parentheses come state, ppid, pgrp, session, tty_nr, tpgid.
    const fields = readFileSync("/proc/self/stat", "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields[2] === fields[5];
  } catch {
    return err.isTTY;
  }
}

function notStarted(program: string, errno: string | undefined, cause: unknown): Failure {
  const quoted = JSON.stringify(program).slice(1, -1);
  if (errno === "ENOENT") {
    return new Failure("COMMAND_NOT_FOUND", `cannot run '${quoted}': not found`, {
      hint: "give its path, or check $PATH",
      cause,
    });
  }
  return new Failure("COMMAND_NOT_EXECUTABLE", `cannot run '${quoted}': ${reasonOf(errno)}`, {
    hint: errno === "EACCES" ? `check that it is a program that you may run: ls -ld ${quoted}` : undefined,
    cause,
  });
}

function reasonOf(errno: string | undefined): string {
  if (errno === "EACCES") return "permission denied";
  if (errno === "E2BIG") return "arguments and environment are too long";
  if (errno === "ENOEXEC") return "not an executable for this machine";
  return errno ?? "unknown error";
}
