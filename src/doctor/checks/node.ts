import type { Evidence } from "../evidence.ts";
import { finding, type Finding } from "../finding.ts";

/** `engines.node` of package.json (a test compares the two). */
export const OLDEST_NODE = "20.19";

/** Whether this Node.js is one that rolefresh runs on. */
export function nodeFindings({ context }: Evidence): readonly Finding[] {
  return [classifyNode(context.world.nodeVersion)];
}

/** @param version `20.19.0` */
export function classifyNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE.split(".").map(Number);
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return finding("ok", `Node v${version}`);
  return finding("error", `Node v${version} is older than ${OLDEST_NODE}, which rolefresh needs`, {
    hint: `install Node ${OLDEST_NODE} or newer`,
  });
}
