/** When credentials are due. Pure: every number comes in as an argument. */

/** The lifetime that STS gives when none is asked for (AssumeRole, DurationSeconds). */
export const DEFAULT_LIFETIME_MS = 3_600_000;

/** How long before the end a profile of unknown lifetime is refreshed. */
export const UNKNOWN_LIFETIME_WINDOW_MS = 20 * 60_000;

/** When before its expiry a profile is to be refreshed; milliseconds. */
export interface RefreshWindow {
  /** From issue to expiry; undefined when the source alone decides it. */
  readonly lifetimeMs: number | undefined;
  /** The configured `refresh_before`; undefined for the default, half of the lifetime. */
  readonly refreshBeforeMs: number | undefined;
}

/**
 * The instant from which credentials are due: `refresh_before` (default: half of the lifetime, as the AWS SSM agent and
 * SPIFFE do; 20 min where it is unknown) and a jitter before their expiry.
 *
 * The jitter keeps a fleet that one cron minute starts from calling STS together. It is the same for the same host and
 * profile, at most a tenth of the lifetime, always earlier, and never so much that fresh credentials would be due at once.
 */
export function refreshAt(expiresAt: Date, window: RefreshWindow, host: string, profile: string): Date {
  const before = windowMs(window);
  const tenth = window.lifetimeMs === undefined ? UNKNOWN_LIFETIME_WINDOW_MS / 10 : window.lifetimeMs / 10;
  const room = window.lifetimeMs === undefined ? tenth : Math.max(0, (window.lifetimeMs - before) / 2);
  const jitter = fractionOf(`${host}\n${profile}`) * Math.min(tenth, room);
  return new Date(expiresAt.getTime() - before - Math.floor(jitter));
}

/** How long before their expiry credentials are due, without the jitter; milliseconds. */
export function windowMs({ lifetimeMs, refreshBeforeMs }: RefreshWindow): number {
  return refreshBeforeMs ?? (lifetimeMs === undefined ? UNKNOWN_LIFETIME_WINDOW_MS : lifetimeMs / 2);
}

/** A number in [0, 1) that depends on the text alone: FNV-1a, its bits mixed as murmur3 ends. */
export function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
