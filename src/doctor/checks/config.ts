import type { Evidence } from "../evidence.ts";
import { counted, failureFinding, finding, type Finding } from "../finding.ts";

/** Whether there is a config, and every mistake in it. */
export function configFindings({ setup: { config, issues } }: Evidence): readonly Finding[] {
  if (!config || issues.length > 0) return issues.map((issue) => failureFinding(issue));
  const where = config.file ?? "the command line";
  return [finding("ok", `${where}: ${counted(config.profiles.length, "profile")}, no mistakes`)];
}
