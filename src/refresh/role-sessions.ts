import type { Deadline } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import type { Outbound } from "../net/outbound.ts";
import type { Reporter } from "../output/report.ts";
import type { ProfileSpec, StsEndpoint } from "../config/config.ts";
import type { TokenCache } from "../sources/obtain-token.ts";
import type { IdentityContext } from "../sources/context.ts";
import { needsInstance, renderSessionName, sessionNameTemplate } from "../plan/session-name.ts";
import { readFileSafely, refusalOf } from "../safe-file/read-file.ts";
import type { StsClients } from "../sts/client.ts";
import type { RoleSession, SigningKeys } from "../sts/session.ts";
import type { World } from "../base/world.ts";
import { obtainSession, type SessionContext } from "../sources/obtain-session.ts";

/** From a configured profile to its keys: identity, session name, session policy, STS. */
export interface RoleSessions {
  /** @param sourceKeys asked only when the profile calls with another section's keys */
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
  const common = { env: world.env, uid: world.uid, clock: world, deadline, verbose };
  const outbound = once(async (): Promise<Outbound> =>
    (await import("../net/outbound.ts")).openOutbound({ env: world.env, uid: world.uid, signal: deadline.signal }),
  );
  const sts = once(async (): Promise<StsClients> => {
    const { openSts } = await import("../sts/client.ts");
    return openSts({ ...common, outbound: await outbound() });
  });
  let endpoint: StsEndpoint | undefined;
  /** What calls STS takes as long to load as a metadata server takes to answer: at the same time, once the requests that go out together have left. */
  const prepareSts = once(async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    try {
      if (endpoint) await (await sts()).prepare(endpoint);
    } catch {
      // The call itself comes upon the same and fails with it.
    }
  });
  const identity = once(async (): Promise<IdentityContext> => {
    return {
      ...common,
      cwd: world.cwd,
      home: world.home,
      outbound: await outbound(),
      onSent: () => void prepareSts(),
    };
  });
  const tokens = once(async (): Promise<TokenCache> => {
    const { openTokenCache } = await import("../sources/obtain-token.ts");
    return openTokenCache(await identity());
  });
  const instance = once(async () => {
    const { instancePlaceholders } = await import("../sources/gcp-metadata.ts");
    return instancePlaceholders(await identity());
  });
  let tokenAheadMs: number | undefined;
  const sessions: SessionContext = {
    world,
    deadline,
    outbound,
    sts,
    policy: (spec) => readPolicy(spec, world.uid, deadline),
    async token(source) {
      const token = await (await tokens()).obtain(source);
      tokenAheadMs = furthest(tokenAheadMs, token.clockAheadMs);
      return token;
    },
    async sessionName(spec) {
      const template = sessionNameTemplate(spec);
      const local = { profile: spec.profile, hostname: world.hostname };
      if (!needsInstance(template)) return renderSessionName(template, local);
      return renderSessionName(template, { ...local, ...(await instance()) });
    },
  };
  let warnedOfSkew = false;
  const warnOfSkew = (aheadMs: number | undefined, whose: string) => {
    if (warnedOfSkew || aheadMs === undefined || Math.abs(aheadMs) <= SKEW_WORTH_A_WARNING_MS) return;
    warnedOfSkew = true;
    const seconds = Math.round(Math.abs(aheadMs) / 1000);
    reporter.warning(
      `this machine's clock is ${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} ${whose}`,
      "set it: timedatectl set-ntp true",
    );
  };

  return {
    async obtain(spec, sourceKeys) {
      let session: RoleSession | undefined;
      endpoint = spec.endpoint;
      try {
        session = await obtainSession(spec, sourceKeys, sessions);
        return session;
      } finally {
        // AWS's clock is the one that counts; where AWS refused, the token's may tell why.
        warnOfSkew(session?.clockAheadMs, "AWS's");
        warnOfSkew(tokenAheadMs, "that of the token's issuer");
      }
    },
    close() {
      // Not at once: a run that ends now has no need to, and Node takes 3 ms for it (it opens standard error to compare).
      setImmediate(() => void outbound.opened()?.then((opened) => opened.close()));
    },
  };
}

function furthest(a: number | undefined, b: number | undefined): number | undefined {
  return Math.abs(b ?? 0) > Math.abs(a ?? 0) ? b : a;
}

/** Opens at the first call, and hands the same to all others. */
function once<T>(open: () => Promise<T>): { (): Promise<T>; readonly opened: () => Promise<T> | undefined } {
  let opening: Promise<T> | undefined;
  return Object.assign(() => (opening ??= open()), { opened: () => opening });
}

/** STS takes 2,048 characters; blanks go before that. */
const MAX_POLICY_BYTES = 256 * 1024;

/** The inline session policy, which must at least be JSON; STS judges the rest. */
async function readPolicy(
  spec: ProfileSpec,
  uid: number | undefined,
  { signal }: Deadline,
): Promise<string | undefined> {
  const { policyFile } = spec;
  if (policyFile === undefined) return undefined;
  const file = { path: policyFile, maxBytes: MAX_POLICY_BYTES, trust: "commands", uid } as const;
  const read = await readFileSafely(file, { interrupted: signal });
  const refuse = (why: string, hint: string, cause?: unknown) =>
    new Failure("CONFIG_INVALID", `policy_file ${policyFile} cannot be used: ${why}`, { hint, cause });
  if (read.kind !== "read") {
    const { why, hint } = refusalOf(read, policyFile);
    throw refuse(why, `${hint}; it is configured in ${spec.origin}`);
  }
  try {
    const policy: unknown = JSON.parse(read.bytes.toString("utf8"));
    return JSON.stringify(policy);
  } catch (error) {
    throw refuse("it is not JSON", `it is configured in ${spec.origin}`, error);
  }
}
