import { awsConfigFindings } from "./checks/aws-config.ts";
import { caFindings } from "./checks/ca.ts";
import { clockFindings } from "./checks/clock.ts";
import { configFindings } from "./checks/config.ts";
import { configPermissionFindings } from "./checks/config-permissions.ts";
import { credentialsFileFindings } from "./checks/credentials-file.ts";
import { directoryFindings } from "./checks/directory.ts";
import { environmentFindings } from "./checks/environment.ts";
import { identityFindings } from "./checks/identity.ts";
import { keysFindings } from "./checks/keys.ts";
import { leftoverFindings } from "./checks/leftovers.ts";
import { mountFindings } from "./checks/mount.ts";
import { nodeFindings } from "./checks/node.ts";
import { permissionFindings } from "./checks/permissions.ts";
import { nameFindings } from "./checks/profile-name.ts";
import { profileFindings } from "./checks/profile.ts";
import { proxyFindings } from "./checks/proxy.ts";
import { readerFindings } from "./checks/readers.ts";
import { windowFindings } from "./checks/refresh-window.ts";
import { securityTokenFindings } from "./checks/security-token.ts";
import { stsFindings } from "./checks/sts.ts";
import { timerFindings } from "./checks/timer.ts";
import { tokenFindings } from "./checks/token.ts";
import type { Evidence, ExaminedFile } from "./evidence.ts";
import { examine, type Finding } from "./finding.ts";

type Findings = readonly Finding[] | Promise<readonly Finding[]>;

/** A check: all of them run at the same time, and wait for the evidence that they need. */
interface Check {
  /** The `check` of `doctor --json`: a stable word for scripts. */
  readonly name: string;
  readonly run: (evidence: Evidence) => Findings;
}

/** In the order in which they are reported. */
export const CHECKS: readonly Check[] = [
  { name: "config", run: configFindings },
  { name: "config-permissions", run: configPermissionFindings },
  { name: "credentials-file", run: eachFile(credentialsFileFindings) },
  { name: "permissions", run: eachFile(permissionFindings) },
  { name: "directory", run: eachFile(directoryFindings) },
  { name: "mount", run: eachFile(mountFindings) },
  { name: "leftovers", run: eachFile(leftoverFindings) },
  { name: "readers", run: eachFile(readerFindings) },
  { name: "profile-name", run: ({ setup }) => setup.targets.flatMap(nameFindings) },
  { name: "aws-config", run: awsConfigFindings },
  { name: "environment", run: environmentFindings },
  { name: "profile", run: profileFindings },
  { name: "security-token", run: ({ setup }) => setup.targets.flatMap(securityTokenFindings) },
  { name: "timer", run: timerFindings },
  { name: "refresh-window", run: windowFindings },
  { name: "identity", run: identityFindings },
  { name: "token", run: tokenFindings },
  { name: "proxy", run: proxyFindings },
  { name: "ca", run: caFindings },
  { name: "sts", run: stsFindings },
  { name: "clock", run: clockFindings },
  { name: "keys", run: keysFindings },
  { name: "node", run: nodeFindings },
];

/** A check of one credentials file, for each of them. */
function eachFile(check: (file: ExaminedFile, evidence: Evidence) => Findings): Check["run"] {
  return async (evidence) =>
    (await Promise.all(evidence.files.map((file) => examine(async () => check(file, evidence))))).flat();
}
