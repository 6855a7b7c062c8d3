// A fleet on simulated time. When credentials are due, and how long a watcher pauses and sleeps, is the program's own code.
import { refreshAt } from "../../build/src/plan/due.js";
import { pauseAfter, sleepUntil } from "../../build/src/plan/backoff.js";
import { FEWEST_ATTEMPTS } from "../../build/src/net/retry-policy.js";

/**
 * "AWS STS request quotas": 600 requests per second, per account and Region
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
 */
export const QUOTA = 600;
const LIFETIME_MS = 3_600_000;
/** As src/net/retry-policy.ts pauses: a random part of this, doubled each time. */
const PAUSE_MS = { throttled: 1000, failed: 100 };

/**
 * @param scenario `{ hosts, roles, hours, seed, start, intervalMs?, delayMs?, clockErrorMs, jitter, refreshBeforeMs?, outage? }`:
 *   `start` is `cron` (every host when its own clock says a multiple of `intervalMs`, `delayMs` at most later by chance) or
 *   `watch`; `outage` is `[from, to]`, in ms from the beginning, when every profile of the fleet was issued at once
 * @returns calls in each second, how many were throttled or fell into the outage, how many profiles ever expired
 */
export function simulate(scenario) {
  const { hosts, roles, hours, clockErrorMs, outage = [0, 0] } = scenario;
  const random = generator(scenario.seed);
  const end = hours * 3600;
  const errors = Float64Array.from({ length: hosts }, () => Math.round((random() * 2 - 1) * clockErrorMs));
  const expires = new Float64Array(hosts * roles).fill(LIFETIME_MS);
  const failures = new Uint16Array(hosts * roles);
  const expired = new Uint8Array(hosts * roles);
  const pauses = new Map();
  const calls = new Uint32Array(end);
  const agenda = Array.from({ length: end }, () => []);
  let throttled = 0;
  let failed = 0;

  const put = (ms, event) => {
    const second = Math.floor(ms / 1000);
    if (second >= 0 && second < end) agenda[second].push({ ms, ...event });
  };
  const dueAt = (profile) => {
    const [host, role] = [`host-${Math.floor(profile / roles)}`, `role-${profile % roles}`];
    const window = { lifetimeMs: LIFETIME_MS, refreshBeforeMs: scenario.refreshBeforeMs };
    const at = refreshAt(new Date(expires[profile]), window, host, role).getTime();
    if (scenario.jitter) return at;
    return expires[profile] - (scenario.refreshBeforeMs ?? LIFETIME_MS / 2);
  };
  /** When this host looks next, in real time, after `ms`. */
  const nextLook = (host, ms, moments) => {
    const own = ms + errors[host];
    if (scenario.start === "watch") return ms + sleepUntil(moments.map((moment) => moment - own));
    return (Math.floor(own / scenario.intervalMs) + 1) * scenario.intervalMs - errors[host];
  };
  const looked = (host, ms, moments) => {
    const at = nextLook(host, ms, moments);
    put(at, { host, tick: at, delayed: false });
  };

  for (let host = 0; host < hosts; host++) looked(host, 0, [Infinity]);
  for (let second = 0; second < end; second++) {
    let room = QUOTA;
    // New events may fall into the second under way, so the list grows while it is walked.
    for (const event of agenda[second]) {
      if (event.profile !== undefined) {
        call(event);
        continue;
      }
      const { host, ms, tick, delayed } = event;
      if (scenario.delayMs && !delayed) {
        put(ms + random() * scenario.delayMs, { host, tick, delayed: true });
        continue;
      }
      const moments = [];
      for (let profile = host * roles; profile < (host + 1) * roles; profile++) {
        if (expires[profile] <= ms) expired[profile] = 1;
        const pausedUntil = scenario.start === "watch" && failures[profile] > 0 ? (pauses.get(profile) ?? 0) : 0;
        const due = Math.max(dueAt(profile), pausedUntil);
        if (due <= ms + errors[host]) call({ ms, profile, attempt: 1 });
        moments.push(due <= ms + errors[host] ? Infinity : due);
      }
      looked(host, tick, moments);
    }
    agenda[second] = [];

    function call({ ms, profile, attempt }) {
      calls[second]++;
      const isOut = ms >= outage[0] && ms < outage[1];
      if (!isOut && room > 0) {
        room--;
        if (expires[profile] <= ms) expired[profile] = 1;
        expires[profile] = ms + LIFETIME_MS;
        failures[profile] = 0;
        return;
      }
      if (isOut) failed++;
      else throttled++;
      if (attempt < FEWEST_ATTEMPTS) {
        const pause = random() * PAUSE_MS[isOut ? "failed" : "throttled"] * 2 ** (attempt - 1);
        put(ms + Math.max(1, pause), { profile, attempt: attempt + 1 });
        return;
      }
      failures[profile]++;
      pauses.set(profile, ms + errors[Math.floor(profile / roles)] + pauseAfter(failures[profile], random()));
    }
  }
  for (let profile = 0; profile < expires.length; profile++) if (expires[profile] <= end * 1000) expired[profile] = 1;
  return { calls, throttled, failed, expired: expired.reduce((sum, one) => sum + one, 0), peak: calls.reduce((a, b) => Math.max(a, b), 0) };
}

/** mulberry32: the same fleet for the same seed. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
