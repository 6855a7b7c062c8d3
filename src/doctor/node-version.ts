// Not the process: what it says here is the same for all processes of this program.
import { version } from "node:process";

import { finding, type Finding } from "./finding.ts";

/** `engines.node` of package.json (a test compares the two). */
export const OLDEST_NODE = "20.19";

/**
 * Whether this Node.js is one that rolefresh runs on.
 *
 * @param running another version in tests, `v20.19.0`
 */
export function nodeFindings(running = version): readonly Finding[] {
  const [major = 0, minor = 0] = running.replace(/^v/, "").split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE.split(".").map(Number);
  const isNewEnough = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  if (isNewEnough) return [finding("node", "ok", `Node ${running}`)];
  return [
    finding("node", "error", `Node ${running} is older than ${OLDEST_NODE}, which rolefresh needs`, {
      hint: `install Node ${OLDEST_NODE} or newer`,
    }),
  ];
}
