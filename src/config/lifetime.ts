import type { RoleArn, RoleSource } from "./config.ts";

/** What STS gives when no duration is asked for: a role 3600 s, GetSessionToken 12 h (STS API reference, DurationSeconds). */
const ROLE_MS = 3_600_000;
const SESSION_MS = 12 * 3_600_000;

/**
 * How long the keys of a profile will live, from issue to expiry.
 *
 * @returns undefined where the source alone decides it: an assertion's own duration, keys that are handed on
 */
export function expectedLifetimeMs(
  source: RoleSource,
  role: RoleArn | undefined,
  durationSeconds: number | undefined,
): number | undefined {
  if (durationSeconds !== undefined) return durationSeconds * 1000;
  switch (source.kind) {
    case "session":
      return SESSION_MS;
    case "saml":
      return undefined;
    case "aws-profile":
    case "credential-source":
      return role === undefined ? undefined : ROLE_MS;
    case "web-identity":
    case "source-profile":
      return ROLE_MS;
  }
}
