import type { ProfileSpec } from "../config/config.ts";
import { refreshAt } from "./due.ts";
import { matchesTemplate, sessionNameTemplate } from "./session-name.ts";

/** What the credentials file holds for a profile, without its secrets. */
export interface WrittenProfile {
  readonly accessKeyId: string | undefined;
  /** Access key, secret and token are there, and both token keys hold the same. */
  readonly complete: boolean;
  readonly principalArn: string | undefined;
  readonly expiresAt: Date | undefined;
  /** Why the section may not be overwritten (DESIGN, rule 4); undefined when it may. */
  readonly foreign: string | undefined;
  /** Foreign, but it holds what `overwrite = true` put there. */
  readonly isTakenOver: boolean;
}

/** Why a profile is, or is not, refreshed: a stable word for scripts. */
export type Reason =
  | "fresh"
  | "forced"
  | "missing"
  | "incomplete"
  | "no-expiry"
  | "role-changed"
  | "session-changed"
  | "expiring"
  | "expired"
  | "foreign";

/** The state of a profile at one moment. */
export interface ProfileState {
  readonly state: "fresh" | "due" | "expired" | "missing" | "foreign";
  readonly reason: Reason;
  /** When the profile becomes (or became) due; undefined when its expiry is unknown. */
  readonly refreshAt: Date | undefined;
}

/**
 * Classifies one profile (DESIGN, "When is a profile due?"): missing, unreadable expiry, role or session changed in the
 * config, or less than `refresh_before` left.
 */
export function classifyProfile(
  spec: ProfileSpec,
  written: WrittenProfile | undefined,
  now: Date,
  hostname: string,
): ProfileState {
  if (written?.foreign !== undefined && !spec.overwrite)
    return { state: "foreign", reason: "foreign", refreshAt: undefined };
  if (written?.accessKeyId === undefined) return { state: "missing", reason: "missing", refreshAt: undefined };
  // Keys without an expiry may be outdated at any time: each run asks their source.
  if (written.expiresAt === undefined)
    return { state: "due", reason: changeOf(spec, written, hostname) ?? "no-expiry", refreshAt: undefined };
  const at = refreshAt(written.expiresAt, spec, hostname, spec.profile);
  if (written.expiresAt <= now) return { state: "expired", reason: "expired", refreshAt: at };
  const changed = changeOf(spec, written, hostname);
  if (changed !== undefined) return { state: "due", reason: changed, refreshAt: at };
  return at <= now
    ? { state: "due", reason: "expiring", refreshAt: at }
    : { state: "fresh", reason: "fresh", refreshAt: at };
}

/** Whether the written keys are of the configured role: at most their age or session name makes them due. */
export function isSameRole(reason: Reason): boolean {
  return reason === "fresh" || reason === "expiring" || reason === "session-changed" || reason === "no-expiry";
}

/**
 * Whether the keys may still be used as far as the file tells: whole, ours, and not expired. Keys that have no expiry
 * because their source tells none count as valid, as they do for AWS SDKs (SDKs and Tools Reference Guide, "Process
 * credential provider"); where the source tells one, it is missing and nothing is known.
 */
export function isStillValid(spec: ProfileSpec, written: WrittenProfile | undefined, now: Date): boolean {
  if (written?.complete !== true || (written.foreign !== undefined && !written.isTakenOver)) return false;
  return written.expiresAt === undefined ? isPassThrough(spec) : written.expiresAt > now;
}

/**
 * Whether the source's own keys are written as they are: it decides when they are newer, and whether they have an expiry.
 * STS always returns one.
 */
export function isPassThrough({ role, source }: ProfileSpec): boolean {
  return role === undefined && (source.kind === "aws-profile" || source.kind === "credential-source");
}

/** Whether a run refreshes it. A foreign section is never due. */
export function isDue(state: ProfileState): boolean {
  return state.state === "due" || state.state === "expired" || state.state === "missing";
}

function changeOf(spec: ProfileSpec, written: WrittenProfile, hostname: string): Reason | undefined {
  if (written.foreign !== undefined && !written.isTakenOver) return "foreign";
  if (!written.complete) return "incomplete";
  const { role } = spec;
  // Without a role no principal is written: this one is from when the profile had a role.
  if (!role) return written.principalArn === undefined ? undefined : "role-changed";
  const principal = parsePrincipal(written.principalArn);
  if (
    !principal ||
    principal.account !== role.account ||
    principal.partition !== role.partition ||
    principal.role !== role.name
  ) {
    return "role-changed";
  }
  // The identity provider names the session, in the assertion.
  if (spec.source.kind === "saml") return undefined;
  const values = { profile: spec.profile, hostname };
  return matchesTemplate(sessionNameTemplate(spec), principal.session, values) ? undefined : "session-changed";
}

/** `arn:PARTITION:sts::ACCOUNT:assumed-role/ROLE/SESSION`: the role without its path. */
function parsePrincipal(
  arn: string | undefined,
): { partition: string; account: string; role: string; session: string } | undefined {
  const match = /^arn:([^:]+):sts::(\d{12}):assumed-role\/([^/]+)\/([^/]+)$/.exec(arn ?? "");
  const [, partition = "", account = "", role = "", session = ""] = match ?? [];
  return match ? { partition, account, role, session } : undefined;
}
