// usage: scripts/simulate-fleet [--hosts N]
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { lineChart } from "../bench/plot.mjs";
import { QUOTA, simulate } from "./simulate.mjs";

const { values } = parseArgs({ options: { hosts: { type: "string", default: "10000" } } });
const MINUTE = 60_000;
const fleet = { hosts: Number(values.hosts), roles: 5, hours: 4, seed: 1, intervalMs: 5 * MINUTE, clockErrorMs: 0, start: "cron", jitter: true };
/** When the first refreshes of the fleet are due by default. */
const outage = [25 * MINUTE, 40 * MINUTE];
const clockErrorMs = 2 * MINUTE;
const delayMs = MINUTE;

const scenarios = [
  ["synchronised: one cron minute, exact clocks, no jitter", { jitter: false }],
  ["the same with an outage", { jitter: false, outage }],
  ["the same, refresh_before 5m instead of half of the lifetime", { jitter: false, outage, refreshBeforeMs: 5 * MINUTE }],
  ["cron, jitter, exact clocks", {}],
  ["cron, jitter, exact clocks, outage", { outage }],
  ["cron every minute, jitter, exact clocks, outage", { outage, intervalMs: MINUTE }],
  ["cron, no jitter, clocks ±2 min, outage", { jitter: false, clockErrorMs, outage }],
  ["cron, jitter, clocks ±2 min, outage", { clockErrorMs, outage }],
  ["systemd (starts up to 60 s late), jitter, exact clocks, outage", { delayMs, outage }],
  ["systemd, jitter, clocks ±2 min, outage", { delayMs, clockErrorMs, outage }],
  ["watch, jitter, clocks ±2 min, outage", { start: "watch", clockErrorMs, outage }],
];

const results = scenarios.map(([name, changes]) => {
  const result = simulate({ ...fleet, ...changes });
  console.log(`${name}: peak ${result.peak}/s, throttled ${result.throttled}, expired ${result.expired}`);
  return { name, ...result };
});
const whole = results[0].peak;
const number = (value) => value.toLocaleString("en");
const share = (peak) => `${((100 * peak) / whole).toFixed(peak < whole / 10 ? 1 : 0)} %`;
const rows = results.map(({ name, peak, throttled, failed, expired }) => `| ${name} | ${number(peak)} | ${share(peak)} | ${number(throttled)} | ${number(failed)} | ${number(expired)} |`);
const shown = [0, 4, 7, 9].map((index) => results[index]);
mkdirSync(new URL("../../docs/", import.meta.url), { recursive: true });
writeFileSync(
  new URL("../../docs/fleet.svg", import.meta.url),
  lineChart({
    title: `${number(fleet.hosts)} hosts × ${fleet.roles} roles: most STS calls in one second, by minute`,
    x: "minutes since all credentials were issued at once",
    y: "calls per second (logarithmic)",
    logY: true,
    series: shown.map(({ name, calls }) => ({ name: name.slice(0, 52), points: peaksByMinute(calls) })),
  }),
);
writeFileSync(new URL("../../docs/FLEET.md", import.meta.url), page());

function peaksByMinute(calls) {
  return Array.from({ length: calls.length / 60 }, (_, minute) => [minute, Math.max(1, ...calls.subarray(minute * 60, minute * 60 + 60))]);
}

function page() {
  return `# A fleet and the quota of STS

Written by \`scripts/simulate-fleet\`. ${number(fleet.hosts)} hosts with ${fleet.roles} roles each, whose credentials were all issued in the same
second, live for ${fleet.hours} simulated hours on the program's own rules (\`src/plan/due.ts\`, \`src/plan/backoff.ts\`, the attempts of
\`src/net/retry-policy.ts\`). STS takes ${QUOTA} requests per second, per account and Region
([IAM and AWS STS quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)), all in one account here; what is
more is throttled and tried again. The outage lasts 15 minutes, from minute 25, when the first refreshes are due.
Cron starts every 5 minutes, every host in the same second when its clock is exact; jitter is the one of \`due.ts\`.

| scenario | peak calls/s | of the synchronised peak | throttled calls | calls in the outage | profiles that ever expired |
|---|---|---|---|---|---|
${rows.join("\n")}

![peak by minute](fleet.svg)

What to take from it: the jitter, at most a tenth of the lifetime, is 6 minutes for an hour. Where clocks differ or the
scheduler spreads its starts, that flattens the peak. Where every clock is exact and every host has the same crontab line,
the jitter can only choose between two or three starts of cron, and all hosts that choose the same one call in the same
second: give such hosts different minutes, use the systemd timer (\`RandomizedDelaySec=\`) or \`rolefresh watch\`.
`;
}
