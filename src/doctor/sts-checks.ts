import pLimit from "p-limit";

import { renderDuration } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import type { StsEndpoint } from "../config/config.ts";
import { ownershipOf } from "../credentials-file/ownership.ts";
import { openSts } from "../sts/client.ts";
import { getCallerIdentity } from "../sts/get-caller-identity.ts";
import type { SigningKeys } from "../sts/session.ts";
import { type DoctorContext, NETWORK_MS, within } from "./context.ts";
import { examine, failureFinding, finding, type Finding, typed } from "./finding.ts";
import { isTemporary } from "./identity-checks.ts";
import type { Setup, Target } from "./setup.ts";
import { probeSts, type StsProbe } from "./sts-probe.ts";

/** AWS refuses signatures that are further off (IAM User Guide, "Signature Version 4": 5 minutes). */
const REFUSED_SKEW_MS = 300_000;
const NOTABLE_SKEW_MS = 60_000;

/** What was found at STS, and whether it was reached. */
export interface StsFindings {
  readonly findings: readonly Finding[];
  readonly isReached: boolean;
}

/** Asks each endpoint once, and then whose keys the written ones are. */
export async function stsFindings(setup: Setup, context: DoctorContext): Promise<StsFindings> {
  const byEndpoint = new Map<string, { endpoint: StsEndpoint; targets: Target[] }>();
  for (const target of setup.targets) {
    const same = byEndpoint.get(keyOf(target.endpoint));
    if (same) same.targets.push(target);
    else byEndpoint.set(keyOf(target.endpoint), { endpoint: target.endpoint, targets: [target] });
  }
  if (byEndpoint.size === 0) byEndpoint.set("", { endpoint: setup.usualEndpoint, targets: [] });
  const all = await Promise.all(
    [...byEndpoint.values()].map(async ({ endpoint, targets }): Promise<StsFindings> => {
      let isReached = false;
      const findings = await examine("sts", async () => {
        const probe = await probeSts(endpoint, context);
        isReached = probe.kind === "sts";
        const found = probeFindings(endpoint, probe);
        return isReached ? [...found, ...(await keysFindings(targets, context))] : found;
      });
      return { findings, isReached };
    }),
  );
  return { findings: all.flatMap(({ findings }) => findings), isReached: all.every(({ isReached }) => isReached) };
}

function keyOf({ region, url, useFips, caBundle }: StsEndpoint): string {
  return JSON.stringify([region, url, useFips, caBundle]);
}

function probeFindings({ region }: StsEndpoint, probe: StsProbe): readonly Finding[] {
  if (probe.kind === "failed")
    return [
      finding("sts", "error", `${region}: ${probe.message}; the written keys are not tried`, { hint: probe.hint }),
    ];
  const { url, latencyMs, clockAheadMs } = probe;
  const found = [finding("sts", "ok", `${region}: ${url.host} answers in ${Math.round(latencyMs)} ms`)];
  if (clockAheadMs === undefined) return found;
  const off = Math.abs(clockAheadMs);
  const direction = clockAheadMs > 0 ? "ahead of" : "behind";
  if (off < NOTABLE_SKEW_MS)
    return [...found, finding("clock", "ok", `this machine's clock agrees with that of ${url.host}`)];
  const isRefused = off >= REFUSED_SKEW_MS;
  return [
    ...found,
    finding(
      "clock",
      isRefused ? "error" : "warning",
      `this machine's clock is ${renderDuration(off)} ${direction} that of ${url.host}${isRefused ? ": AWS refuses what tools sign with it" : ""}`,
      { hint: "timedatectl set-ntp true" },
    ),
  ];
}

/** Signs GetCallerIdentity with what the file holds: the proof that a tool which reads it gets in. */
async function keysFindings(targets: readonly Target[], context: DoctorContext): Promise<readonly Finding[]> {
  const limit = pLimit(context.concurrency);
  const all = await Promise.all(
    targets.map((target) => limit(() => examine("keys", () => keyFindings(target, context), target.profile))),
  );
  return all.flat();
}

async function keyFindings(target: Target, context: DoctorContext): Promise<readonly Finding[]> {
  const { profile, view, endpoint } = target;
  const keys = keysOf(target, context.world.now());
  if (!keys) return [];
  try {
    const arn = await ownerOf(keys, endpoint, context);
    const expected = view.document?.profile(profile)?.principalArn;
    if (expected !== undefined && expected !== arn)
      return [
        finding("keys", "error", `the written keys are those of ${arn} and not of x_principal_arn ${expected}`, {
          profile,
          hint: `another tool wrote into the section: rolefresh refresh --force ${typed(profile)}`,
        }),
      ];
    return [finding("keys", "ok", `the written keys work: ${arn}`, { profile })];
  } catch (error) {
    if (!(error instanceof Failure) || error.code === "INTERRUPTED") throw error;
    if (isTemporary(error)) return [failureFinding("keys", error, profile, "warning")];
    return [
      finding("keys", "error", `the written keys do not work: ${error.message}`, {
        profile,
        hint: `rolefresh refresh --force ${typed(profile)}`,
      }),
    ];
  }
}

/** Whose keys these are, by GetCallerIdentity, which nobody can be denied. @throws Failure STS_* */
export async function ownerOf(keys: SigningKeys, endpoint: StsEndpoint, context: DoctorContext): Promise<string> {
  const { world, verbose } = context;
  return await within(context, NETWORK_MS, async (deadline) => {
    const clients = openSts({ env: world.env, uid: world.uid, clock: world, deadline, verbose });
    try {
      return (await getCallerIdentity(clients, endpoint, keys)).arn;
    } finally {
      clients.close();
    }
  });
}

/** Undefined where there is nothing to try: no keys, expired ones, or somebody else's. */
function keysOf({ profile, view }: Target, now: Date): SigningKeys | undefined {
  const section = view.document?.profile(profile);
  const sessionToken = section?.sessionToken ?? section?.securityToken;
  if (section?.accessKeyId === undefined || !section.secretAccessKey || !sessionToken) return undefined;
  if (ownershipOf(section).kind === "foreign") return undefined;
  if (section.expiresAt && section.expiresAt <= now) return undefined;
  return { accessKeyId: section.accessKeyId, secretAccessKey: section.secretAccessKey, sessionToken };
}
