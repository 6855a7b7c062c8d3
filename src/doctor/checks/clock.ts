import { renderDuration } from "../../base/duration.ts";
import type { Evidence } from "../evidence.ts";
import { finding, type Finding } from "../finding.ts";

/** AWS refuses signatures that are further off (IAM User Guide, "Signature Version 4": 5 minutes). */
const REFUSED_SKEW_MS = 300_000;
/** Less is usual; a refresh warns of more as well. */
const NOTABLE_SKEW_MS = 60_000;

const HINT = "timedatectl set-ntp true";

/** Whether this machine's clock agrees with those of STS and of each token's issuer. */
export async function clockFindings({ identities, endpoints }: Evidence): Promise<readonly Finding[]> {
  const tokens = identities.map(async ({ profile, token }): Promise<readonly Finding[]> => {
    const result = await token();
    const aheadMs = "failed" in result ? undefined : result.value.clockAheadMs;
    if (aheadMs === undefined || Math.abs(aheadMs) < NOTABLE_SKEW_MS) return [];
    return [finding("warning", `${clockIs(aheadMs)} the token's issuer`, { profile, hint: HINT })];
  });
  const probes = endpoints.map(async ({ probe }): Promise<readonly Finding[]> => {
    const result = await probe();
    if ("failed" in result || result.value.clockAheadMs === undefined) return [];
    const { url, clockAheadMs } = result.value;
    const off = Math.abs(clockAheadMs);
    if (off < NOTABLE_SKEW_MS) return [finding("ok", `this machine's clock agrees with ${url.host}`)];
    const message = `${clockIs(clockAheadMs)} ${url.host}`;
    if (off < REFUSED_SKEW_MS) return [finding("warning", message, { hint: HINT })];
    return [finding("error", `${message}: AWS rejects what tools sign`, { hint: HINT })];
  });
  return (await Promise.all([...tokens, ...probes])).flat();
}

function clockIs(aheadMs: number): string {
  return `this machine's clock is ${renderDuration(Math.abs(aheadMs))} ${aheadMs > 0 ? "ahead of" : "behind"}`;
}
