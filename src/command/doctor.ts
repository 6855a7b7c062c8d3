import { startDeadline } from "../base/deadline.ts";
import type { World } from "../base/world.ts";
import type { DoctorInvocation } from "../command-line/invocation.ts";
import { CHECKS } from "../doctor/checks.ts";
import { gatherEvidence } from "../doctor/evidence.ts";
import { examine } from "../doctor/finding.ts";
import { toJson, toText } from "../doctor/render.ts";
import { surveySetup } from "../doctor/setup.ts";
import { isColourWanted } from "../output/colour.ts";
import { openReporter } from "../output/report.ts";

/**
 * Checks everything between this host and AWS and says what is wrong and what to run. Nothing is changed: no role is
 * assumed, no lock taken, no file written.
 *
 * @returns 1 when a finding is an error, else 0
 * @throws Failure USAGE for a profile that is not configured, INTERRUPTED; whatever else is broken is a finding
 */
export async function doctor(invocation: DoctorInvocation, world: World): Promise<number> {
  const { global } = invocation;
  const reporter = openReporter(world, global);
  const setup = await surveySetup(invocation.config, invocation.profiles, world);
  const deadline = startDeadline(global.timeoutMs, world, world.interrupted);
  const verbose = (message: string) => reporter.detail(message);
  const evidence = gatherEvidence(setup, { world, deadline, concurrency: global.concurrency, verbose });
  try {
    const all = await Promise.all(
      CHECKS.map(async ({ name, run }) =>
        (await examine(async () => run(evidence))).map((found) => ({ ...found, check: name })),
      ),
    );
    const findings = all.flat();
    const colour = isColourWanted(world.out, world.env);
    world.out.write(global.json ? toJson(findings) : toText(findings, { colour, quiet: global.quiet }));
    return findings.some(({ level }) => level === "error") ? 1 : 0;
  } finally {
    deadline.clear();
  }
}
