import { spawn } from "node:child_process";
import { once } from "node:events";

import { toolMissing } from "./tool.ts";

export type InteractiveShell = "bash" | "zsh" | "fish";

/** What every prompt ends with; the setup file of bash says it, and nothing else shows it. */
const PROMPT = "ready-now>";
/** What each line prints when it has run. */
const DONE = "given-now";

const COMMANDS: Readonly<Record<InteractiveShell, string>> = {
  bash: "exec bash --rcfile setup -i",
  zsh: "cp setup .zshrc; exec zsh -d -i",
  fish: "exec fish --no-config -C 'function fish_prompt; echo -n ready-now\\>; end; source setup' -i",
};

/** Why a shell cannot be typed into here, or undefined. */
export function typedShellMissing(shell: InteractiveShell): string | undefined {
  return toolMissing(shell, ["-c", "true"]) ?? toolMissing("script", ["-qec", "true", "/dev/null"]);
}

/**
 * Types lines into an interactive shell on a terminal of its own, each when the last one has run and the prompt is there
 * again. A tab is the completion key. Each line must print `given-now`.
 *
 * @param directory where the file `setup` is, which the shell reads first; its home and working directory
 * @returns what the terminal showed
 */
export async function typeInto(
  shell: InteractiveShell,
  lines: readonly string[],
  directory: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const child = spawn("script", ["-qec", COMMANDS[shell], "/dev/null"], {
    cwd: directory,
    env: { ...env, ZDOTDIR: directory, PS1: PROMPT, TERM: "dumb", SHELL: "/bin/sh" },
    stdio: ["pipe", "pipe", "inherit"],
    // Only a shell that waits for the end of a quote, for ever, takes so long.
    timeout: 120_000,
  });
  let shown = "";
  let typed = 0;
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    shown += chunk;
    const parts = shown.split(DONE);
    if (parts.length <= typed || parts.at(-1)?.includes(PROMPT) !== true) return;
    child.stdin.write(`${lines[typed++] ?? "exit"}\r`);
  });
  await once(child, "close");
  return shown;
}
