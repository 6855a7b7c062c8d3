import type { IdentitySource, StsEndpoint } from "../config/config.ts";
import { withOutbound } from "../net/outbound.ts";
import type { CredentialsView } from "../refresh/credentials-view.ts";
import type { ResolvedFile } from "../safe-file/sibling-paths.ts";
import { identityKey, obtainIdentityToken } from "../sources/obtain-token.ts";
import type { IdentityToken } from "../sts/identity-token.ts";
import { type DoctorContext, NETWORK_MS, within } from "./context.ts";
import { type Attempt, attempt } from "./finding.ts";
import { findCronSchedules } from "./cron-lines.ts";
import type { Setup, Target } from "./setup.ts";
import { probeSts, type StsProbe } from "./sts-probe.ts";
import { findSystemdSchedule, type Schedule } from "./systemd-timer.ts";

/** What the checks examine. What several of them need is obtained once, by the first that needs it. */
export interface Evidence {
  readonly setup: Setup;
  readonly context: DoctorContext;
  readonly files: readonly ExaminedFile[];
  readonly identities: readonly ExaminedIdentity[];
  /** At least one. */
  readonly endpoints: readonly ExaminedEndpoint[];
  /** Everything on this machine that starts rolefresh again and again. */
  readonly schedules: () => Promise<Attempt<readonly Schedule[]>>;
}

/** A credentials file. */
export interface ExaminedFile {
  readonly view: CredentialsView;
  /** Undefined when the path itself is refused. */
  readonly file: ResolvedFile | undefined;
  readonly profiles: readonly string[];
  /** Whether a profile of the file is written by a rename. */
  readonly isReplaced: boolean;
}

/** An identity that is used for these profiles, and its token. */
export interface ExaminedIdentity {
  readonly source: IdentitySource;
  readonly profiles: readonly string[];
  /** Whose finding it is: undefined when several profiles share the identity. */
  readonly profile: string | undefined;
  readonly token: () => Promise<Attempt<IdentityToken>>;
}

/** An STS endpoint, and the profiles whose keys are used there. */
interface ExaminedEndpoint {
  readonly endpoint: StsEndpoint;
  readonly targets: readonly Target[];
  readonly probe: () => Promise<Attempt<StsProbe>>;
}

/** Starts nothing: each part is obtained when a check needs it. */
export function gatherEvidence(setup: Setup, context: DoctorContext): Evidence {
  const { targets } = setup;
  const files = setup.views.map((view) => {
    const own = targets.filter((target) => target.view === view);
    return {
      view,
      file: view.file,
      profiles: own.map(({ profile }) => profile),
      isReplaced: own.some(({ step }) => step?.spec.writeMode !== "in-place"),
    };
  });
  const schedules = once(() => attempt(() => findSchedules(context)));
  return {
    setup,
    context,
    files,
    identities: identitiesOf(targets, context),
    endpoints: endpointsOf(setup, context),
    schedules,
  };
}

async function findSchedules(context: DoctorContext): Promise<readonly Schedule[]> {
  const [user, system, cron] = await Promise.all([
    findSystemdSchedule("user", context),
    findSystemdSchedule("system", context),
    findCronSchedules(context),
  ]);
  return [user, system, ...cron].filter((schedule) => schedule !== undefined);
}

/** The shortest known time between two runs, in milliseconds; undefined when none is known. */
export async function runIntervalMs({ schedules }: Evidence): Promise<number | undefined> {
  const found = await schedules();
  const known = "failed" in found ? [] : found.value.flatMap(({ intervalMs }) => intervalMs ?? []);
  return known.length === 0 ? undefined : Math.min(...known);
}

function identitiesOf(targets: readonly Target[], context: DoctorContext): readonly ExaminedIdentity[] {
  const specs = targets.flatMap(({ step }) =>
    step?.spec.source.kind === "web-identity"
      ? [{ profile: step.spec.profile, source: step.spec.source.identity }]
      : [],
  );
  return grouped(specs, ({ source }) => identityKey(source)).map(([first, ...rest]) => {
    const { source } = first;
    const profile = rest.length === 0 ? first.profile : undefined;
    const token = once(() => attempt(() => obtainToken(source, context), profile));
    return { source, profiles: [first, ...rest].map((spec) => spec.profile), profile, token };
  });
}

/** As a refresh would. */
async function obtainToken(source: IdentitySource, context: DoctorContext): Promise<IdentityToken> {
  const { world, verbose } = context;
  const { env, cwd, home, uid, killGroup } = world;
  return await within(context, NETWORK_MS, (deadline) =>
    withOutbound({ env, uid, signal: deadline.signal }, (outbound) =>
      obtainIdentityToken(source, { env, clock: world, deadline, cwd, home, uid, killGroup, outbound, verbose }),
    ),
  );
}

function endpointsOf({ targets, usualEndpoint }: Setup, context: DoctorContext): readonly ExaminedEndpoint[] {
  const groups = grouped(targets, ({ endpoint: { region, url, useFips, caBundle } }) =>
    JSON.stringify([region, url, useFips, caBundle]),
  );
  const uses =
    groups.length > 0
      ? groups.map((group) => ({ endpoint: group[0].endpoint, targets: group }))
      : [{ endpoint: usualEndpoint, targets: [] }];
  return uses.map(({ endpoint, targets: users }) => ({
    endpoint,
    targets: users,
    probe: once(() => attempt(() => probeSts(endpoint, context))),
  }));
}

/** Groups of what has the same key, in the order in which each key comes first. */
function grouped<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly [T, ...T[]])[] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return [...groups.values()];
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= work());
}
