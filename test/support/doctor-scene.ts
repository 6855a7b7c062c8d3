import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import type { RunOptions } from "./run-bin.ts";
import { openScene, type Scene, THREE_ROLES } from "./scene.ts";

export interface FoundFinding {
  readonly check: string;
  readonly level: "ok" | "warning" | "error";
  readonly profile: string | null;
  readonly message: string;
  readonly hint: string | null;
}

/** What one run of `doctor --json` found. */
export interface Diagnosis {
  readonly code: number | null;
  readonly findings: readonly FoundFinding[];
  /** Levels and messages of one check, `error: …`, with its profile and hint. */
  readonly of: (check: string) => readonly string[];
  /** Every finding that is not ok, in the same form, with its check in front. */
  readonly wrong: readonly string[];
}

/**
 * A machine on which everything was refreshed. Its PATH holds nothing but `bin` in its home, so that no scheduler of the
 * developer's machine is asked.
 */
export async function openHealthyScene(config = THREE_ROLES): Promise<Scene> {
  const scene = await openScene(config);
  await mkdir(join(scene.home.path, "bin"));
  try {
    const refreshed = await scene.run([]);
    assert.deepEqual([refreshed.code, refreshed.stderr], [0, ""]);
    return scene;
  } catch (error) {
    // Its servers would keep the test's process alive for ever.
    await scene[Symbol.asyncDispose]();
    throw error;
  }
}

/** Runs `doctor --json`; whatever it finds, stderr is silent and no secret of the file is in its answer. */
export async function diagnose(
  scene: Scene,
  args: readonly string[] = [],
  options: Partial<RunOptions> = {},
): Promise<Diagnosis> {
  const env = { PATH: join(scene.home.path, "bin"), ...options.env };
  const { code, stdout, stderr } = await scene.run(["doctor", "--json", ...args], { ...options, env });
  assert.equal(stderr, "");
  const file = await readFile(scene.home.credentials, "utf8").catch(() => "");
  for (const [, value = ""] of file.matchAll(/(?:secret_access_key|_token)\s*[=:]\s*(\S{6,})/g))
    assert.ok(!stdout.includes(value), "a secret was shown");
  const { findings } = JSON.parse(stdout) as { findings: readonly FoundFinding[] };
  for (const finding of findings)
    assert.deepEqual(Object.keys(finding), ["check", "level", "profile", "message", "hint"]);
  assert.equal(code, findings.some(({ level }) => level === "error") ? 1 : 0);
  const show = ({ level, profile, message, hint }: FoundFinding): string =>
    `${level}: ${profile === null ? "" : `[${profile}] `}${message}${hint === null ? "" : ` | ${hint}`}`;
  return {
    code,
    findings,
    of: (check) => findings.filter((finding) => finding.check === check).map(show),
    wrong: findings.filter(({ level }) => level !== "ok").map((finding) => `${finding.check} ${show(finding)}`),
  };
}
