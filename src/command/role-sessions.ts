import { readFile } from "node:fs/promises";

import type { Deadline } from "../base/deadline.ts";
import { errnoOf, Failure } from "../base/failure.ts";
import type { Reporter } from "../cli/report.ts";
import type { ProfileSpec } from "../config/config.ts";
import type { TokenCache } from "../identity/obtain.ts";
import { needsInstance, renderSessionName, sessionNameTemplate } from "../plan/session-name.ts";
import type { StsClients } from "../sts/client.ts";
import type { RoleSession, SigningKeys } from "../sts/session.ts";
import type { World } from "../world.ts";

/** From a configured profile to its role session: identity, session name, session policy, STS. */
export interface RoleSessions {
  /** @param sourceKeys asked only when the profile calls AssumeRole with another's keys */
  obtain(spec: ProfileSpec, sourceKeys: () => SigningKeys): Promise<RoleSession>;
  /** Closes the connections of the run. */
  close(): void;
}

/** A clock further off than this is worth a warning: AWS refuses signatures from 5 minutes on. */
const SKEW_WORTH_A_WARNING_MS = 60_000;

/** The network rooms are loaded when the first session is asked for: a run with nothing due never needs them. */
export function openRoleSessions(context: {
  readonly world: World;
  readonly deadline: Deadline;
  readonly reporter: Reporter;
}): RoleSessions {
  const { world, deadline, reporter } = context;
  const verbose = (message: string) => reporter.detail(message);
  const identityContext = { env: world.env, clock: world, deadline, cwd: world.cwd, home: world.home, verbose };
  let tokens: Promise<TokenCache> | undefined;
  let clients: Promise<StsClients> | undefined;
  let instance: Promise<{ project: string; instance: string }> | undefined;
  let warnedOfSkew = false;

  const openClients = async (): Promise<StsClients> => {
    const { openSts } = await import("../sts/client.ts");
    return openSts({ env: world.env, clock: world, deadline, verbose });
  };
  const openTokens = async (): Promise<TokenCache> => {
    const { openTokenCache } = await import("../identity/obtain.ts");
    return openTokenCache(identityContext);
  };
  const sessionNameOf = async (spec: ProfileSpec): Promise<string> => {
    const template = sessionNameTemplate(spec);
    const local = { profile: spec.profile, hostname: world.hostname };
    if (!needsInstance(template)) return renderSessionName(template, local);
    const { instancePlaceholders } = await import("../identity/gcp-metadata.ts");
    instance ??= instancePlaceholders(identityContext);
    return renderSessionName(template, { ...local, ...(await instance) });
  };
  const warnOfSkew = (session: RoleSession) => {
    const ahead = session.clockAheadMs ?? 0;
    if (warnedOfSkew || Math.abs(ahead) < SKEW_WORTH_A_WARNING_MS) return;
    warnedOfSkew = true;
    const seconds = Math.round(Math.abs(ahead) / 1000);
    reporter.warning(
      `this machine's clock is ${seconds} s ${ahead > 0 ? "ahead of" : "behind"} AWS's`,
      "set it: timedatectl set-ntp true",
    );
  };

  return {
    async obtain(spec, sourceKeys) {
      clients ??= openClients();
      const [sts, sessionName, policy] = await Promise.all([clients, sessionNameOf(spec), readPolicy(spec)]);
      const request = {
        role: spec.role,
        sessionName,
        durationSeconds: spec.durationSeconds,
        policyArns: spec.policyArns,
        policy,
        endpoint: spec.endpoint,
      };
      let session: RoleSession;
      if (spec.source.kind === "web-identity") {
        tokens ??= openTokens();
        const token = await (await tokens).obtain(spec.source.identity);
        const { assumeRoleWithWebIdentity } = await import("../sts/assume-role-with-web-identity.ts");
        session = await assumeRoleWithWebIdentity(sts, request, token);
      } else {
        const { assumeRole } = await import("../sts/assume-role.ts");
        session = await assumeRole(sts, { ...request, ...spec.source }, sourceKeys());
      }
      warnOfSkew(session);
      return session;
    },
    close() {
      void clients?.then((opened) => opened.close());
    },
  };
}

/** The inline session policy, which must at least be JSON; STS judges the rest. */
async function readPolicy(spec: ProfileSpec): Promise<string | undefined> {
  const { policyFile } = spec;
  if (policyFile === undefined) return undefined;
  try {
    const text = await readFile(policyFile, "utf8");
    const policy: unknown = JSON.parse(text);
    return JSON.stringify(policy);
  } catch (error) {
    const why = errnoOf(error) ?? "it is not JSON";
    throw new Failure("CONFIG_INVALID", `policy_file ${policyFile} cannot be used: ${why}`, {
      hint: `it is configured in ${spec.origin}`,
      cause: error,
    });
  }
}
