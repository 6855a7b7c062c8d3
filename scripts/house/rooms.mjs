/**
 * The rooms of `src/`, from the ground up: what each is for, and which other rooms it may import (types included). From
 * this table come the linter's rules (`lint-rules.mjs`) and the map in ARCHITECTURE.md (`map.mjs`).
 */
export const ROOMS = {
  base: { duty: "no policy: `Failure`, `Secret`, deadlines, durations, quoting, the `World` of clock, environment and streams, the one program runner", uses: [] },
  "safe-file": { duty: "files that must survive: trusted open, directory handle, lock, atomic replacement, in-place write with journal, backup; knows nothing of credentials", uses: ["base"] },
  "credentials-file": { duty: "pure, bytes in and bytes out: layout, sections, ownership, edit, the guard and its reader models", uses: ["base"] },
  config: { duty: "INI text to a checked `Config`, every mistake at once; the one table of keys and defaults", uses: ["base", "safe-file"] },
  plan: { duty: "pure: what is due, in which order, when to look again", uses: ["base", "config"] },
  net: { duty: "the one HTTP client, proxies, retry policy, and what a network error means", uses: ["base", "safe-file"] },
  sts: { duty: "the STS calls and the validation of their responses", uses: ["base", "config", "net"] },
  sources: { duty: "how a profile proves who it is: Google, Azure, GitHub, SAML, MFA, another profile", uses: ["base", "config", "net", "plan", "safe-file", "sts"] },
  output: { duty: "what people and programs read: reporter, exit codes, table, progress, metrics and health text", uses: ["base", "config", "safe-file"] },
  refresh: { duty: "the heart: load, plan, execute, write, outcomes; single-flight, write queue, hooks", uses: ["base", "config", "credentials-file", "net", "output", "plan", "safe-file", "sources", "sts"] },
  init: { duty: "the questions, the hints of this machine, and the config that `init` writes", uses: ["base", "config", "net", "output", "safe-file", "sources"] },
  schedule: { duty: "units, crontab lines and manifests, and their installation", uses: ["base", "config", "output", "plan", "safe-file"] },
  "trust-policy": { duty: "trust policies generated and evaluated", uses: ["base", "config", "net", "plan", "refresh", "safe-file", "sources", "sts"] },
  doctor: { duty: "one check per file, one table of checks", uses: ["base", "config", "credentials-file", "net", "output", "plan", "refresh", "safe-file", "schedule", "sources", "sts"] },
  "command-line": { duty: "the command table as plain data; the parser, help and the manual page are made from it", uses: ["base", "config", "init", "output", "schedule", "trust-policy"] },
  completion: { duty: "shell completion, from the command table", uses: ["base", "command-line"] },
  command: { duty: "one thin file per command: join rooms, print", uses: ["base", "command-line", "completion", "config", "credentials-file", "doctor", "init", "net", "output", "plan", "refresh", "safe-file", "schedule", "sources", "sts", "trust-policy"] },
};

/** Files directly in `src/`, and the rooms they may import. */
export const ENTRIES = {
  "bin.ts": { duty: "the process becomes a `World`; signals and exit", uses: ["base", "main.ts", "output"] },
  "main.ts": { duty: "runs one command and renders what failed", uses: ["base", "command", "command-line", "output"] },
};

/** Who may touch the process and the clock directly, by room or file; everyone else takes them from `World`. */
export const EFFECTS = {
  process: ["src/bin.ts"],
  clock: ["src/bin.ts"],
};
