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

/** From a configured profile to its session: identity, session name, session policy, STS. */
export interface RoleSessions {
  /** @param sourceKeys called only when the profile signs with another section's keys */
  obtain(spec: ProfileSpec, sourceKeys: () => SigningKeys): Promise<RoleSession>;
  /** Closes the connections of the run. */
  close(): void;
}

/** What the sessions of a run share. */
export interface RoleSessionsContext {
  readonly world: World;
  readonly deadline: Deadline;
  readonly reporter: Reporter;
}

/** A larger clock difference is reported; milliseconds. AWS refuses signatures from 5 minutes on. */
const NOTABLE_SKEW_MS = 60_000;

/** The network rooms are loaded when the first session is requested: a run with nothing due never needs them. */
export function openRoleSessions({ world, deadline, reporter }: RoleSessionsContext): RoleSessions {
  const network = openNetwork({ world, deadline, reporter });
  const warnOfSkew = skewReporter(reporter);
  let tokenAheadMs: number | undefined;
  const sessions: SessionContext = {
    world,
    deadline,
    outbound: network.outbound,
    sts: network.sts,
    policy: (spec) => readPolicy(spec, world.uid, deadline),
    async token(source) {
      const token = await (await network.tokens()).obtain(source);
      tokenAheadMs = furthest(tokenAheadMs, token.clockAheadMs);
      return token;
    },
    async sessionName(spec) {
      const template = sessionNameTemplate(spec);
      const local = { profile: spec.profile, hostname: world.hostname };
      if (!needsInstance(template)) return renderSessionName(template, local);
      return renderSessionName(template, { ...local, ...(await network.instance()) });
    },
  };
  return {
    async obtain(spec, sourceKeys) {
      let session: RoleSession | undefined;
      network.expectSts(spec.endpoint);
      try {
        session = await obtainSession(spec, sourceKeys, sessions);
        return session;
      } finally {
        // AWS's clock decides; where AWS refused, the token's may tell why.
        warnOfSkew(session?.clockAheadMs, "AWS's");
        warnOfSkew(tokenAheadMs, "that of the token's issuer");
      }
    },
    close: network.close,
  };
}

/** What a run opens towards the network, each part when it is first used. */
interface Network {
  readonly outbound: () => Promise<Outbound>;
  readonly sts: () => Promise<StsClients>;
  readonly tokens: () => Promise<TokenCache>;
  readonly instance: () => Promise<{ readonly project: string; readonly instance: string }>;
  /** Names the endpoint that is called next, so that it can be prepared while a token is on its way. */
  readonly expectSts: (endpoint: StsEndpoint) => void;
  readonly close: () => void;
}

function openNetwork({ world, deadline, reporter }: RoleSessionsContext): Network {
  const { env, uid, cwd, home, killGroup } = world;
  const common = { env, uid, clock: world, deadline, verbose: (message: string) => reporter.detail(message) };
  let endpoint: StsEndpoint | undefined;
  const outbound = once(async (): Promise<Outbound> =>
    (await import("../net/outbound.ts")).openOutbound({ env, uid, signal: deadline.signal }),
  );
  const sts = once(async (): Promise<StsClients> => {
    const { openSts } = await import("../sts/client.ts");
    return openSts({ ...common, outbound: await outbound() });
  });
  /** Loading the STS client takes as long as a metadata server's response: it starts once the requests have left. */
  const prepareSts = once(async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    try {
      if (endpoint) await (await sts()).prepare(endpoint);
    } catch {
      // The call itself meets the same error and fails with it.
    }
  });
  const identity = once(async (): Promise<IdentityContext> => {
    return { ...common, cwd, home, killGroup, outbound: await outbound(), onSent: () => void prepareSts() };
  });
  return {
    outbound,
    sts,
    tokens: once(async () => (await import("../sources/obtain-token.ts")).openTokenCache(await identity())),
    instance: once(async () => (await import("../sources/gcp-metadata.ts")).instancePlaceholders(await identity())),
    expectSts: (next) => {
      endpoint = next;
    },
    // Not at once: a run that ends now has no need to, and Node takes 3 ms for it (it opens standard error to compare).
    close: () => void setImmediate(() => void outbound.opened()?.then((opened) => opened.close())),
  };
}

/** Warns of a wrong clock, once per run. */
function skewReporter(reporter: Reporter): (aheadMs: number | undefined, whose: string) => void {
  let isReported = false;
  return (aheadMs, whose) => {
    if (isReported || aheadMs === undefined || Math.abs(aheadMs) <= NOTABLE_SKEW_MS) return;
    isReported = true;
    const seconds = Math.round(Math.abs(aheadMs) / 1000);
    reporter.warning(
      `this machine's clock is ${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} ${whose}`,
      "set the clock: timedatectl set-ntp true",
    );
  };
}

function furthest(a: number | undefined, b: number | undefined): number | undefined {
  return Math.abs(b ?? 0) > Math.abs(a ?? 0) ? b : a;
}

/** Opens on the first call; later calls get the same. */
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
