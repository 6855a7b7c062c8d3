import { renderDuration } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import { withOutbound } from "../net/outbound.ts";
import type { IdentitySource, ProfileSpec } from "../config/config.ts";
import { describeClaims } from "../sources/jwt.ts";
import { identityKey, obtainIdentityToken } from "../sources/obtain-token.ts";
import { printable } from "../base/printable.ts";
import type { TokenClaims } from "../sts/identity-token.ts";
import { type DoctorContext, NETWORK_MS, within } from "./context.ts";
import { examine, finding, type Finding } from "./finding.ts";
import type { Target } from "./setup.ts";

/** This much between the issuer's clock and ours is usual; a refresh warns of more as well. */
const SKEW_MS = 60_000;

/** Obtains each identity's token once, as a refresh would, and shows what AWS will see of it. */
export async function identityFindings(
  targets: readonly Target[],
  context: DoctorContext,
): Promise<readonly Finding[]> {
  const byIdentity = new Map<string, { source: IdentitySource; profiles: string[] }>();
  for (const { step } of targets) {
    const spec: ProfileSpec | undefined = step?.spec;
    if (spec?.source.kind !== "web-identity") continue;
    const key = identityKey(spec.source.identity);
    const known = byIdentity.get(key);
    if (known) known.profiles.push(spec.profile);
    else byIdentity.set(key, { source: spec.source.identity, profiles: [spec.profile] });
  }
  const all = await Promise.all(
    [...byIdentity.values()].map(({ source, profiles }) =>
      examine("identity", () => examineIdentity(source, profiles, context), single(profiles)),
    ),
  );
  return all.flat();
}

async function examineIdentity(
  source: IdentitySource,
  profiles: readonly string[],
  context: DoctorContext,
): Promise<readonly Finding[]> {
  const { world, verbose } = context;
  const { env, cwd, home, uid } = world;
  const profile = single(profiles);
  const { claims, clockAheadMs } = await within(context, NETWORK_MS, (deadline) =>
    withOutbound({ env, uid, signal: deadline.signal }, (outbound) =>
      obtainIdentityToken(source, { env, clock: world, deadline, cwd, home, uid, outbound, verbose }),
    ),
  );
  const forWhom = profile === undefined ? ` for ${printable(profiles.join(", "), 200)}` : "";
  return [
    finding("identity", "ok", `${source.kind} gives a token${forWhom}`, { profile }),
    finding("token", "ok", told(claims), { profile }),
    ...tokenClockFindings(clockAheadMs, profile),
  ];
}

/** The claims, and under which names a trust policy sees them (IAM User Guide, "Available keys for AWS web identity federation"). */
function told(claims: TokenClaims): string {
  const email = claims.email === undefined ? "" : ` email=${printable(claims.email)}`;
  const shown = `${describeClaims(claims)}${email}`;
  const issuer = (claims.issuer ?? "").replace(/^https:\/\//, "");
  if (issuer !== "accounts.google.com") return shown;
  const audience = printable(claims.audience.join(","));
  const keys =
    claims.authorizedParty === undefined
      ? `:aud=${audience}`
      : `:aud=${printable(claims.authorizedParty)} (azp) and :oaud=${audience} (aud)`;
  return `${shown}; a trust policy sees accounts.google.com${keys}`;
}

function tokenClockFindings(aheadMs: number | undefined, profile: string | undefined): readonly Finding[] {
  if (aheadMs === undefined || Math.abs(aheadMs) < SKEW_MS) return [];
  const off = `${renderDuration(Math.abs(aheadMs))} ${aheadMs > 0 ? "ahead of" : "behind"} the token's issuer`;
  return [finding("clock", "warning", `this machine's clock is ${off}`, { profile, hint: "timedatectl set-ntp true" })];
}

function single(profiles: readonly string[]): string | undefined {
  return profiles.length === 1 ? profiles[0] : undefined;
}

/** Whether a failure may heal by itself, so that nothing is proven by it. */
export function isTemporary(error: unknown): boolean {
  return (
    error instanceof Failure &&
    ["STS_UNAVAILABLE", "STS_THROTTLED", "IDENTITY_TEMPORARY", "TIMEOUT"].includes(error.code)
  );
}
