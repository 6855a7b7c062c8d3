import type { RoleArn, RoleSource } from "./config.ts";

/** Defaults of STS: a role 3600 s, GetSessionToken 12 h (STS API reference, DurationSeconds). */
const ROLE_MS = 3_600_000;
const SESSION_MS = 12 * 3_600_000;

/**
 * The expected lifetime of a profile's credentials, from issue to expiry.
 *
 * @returns undefined where the source decides it: an assertion's duration, credentials that are passed through
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
