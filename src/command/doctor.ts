import { isColourWanted } from "../output/colour.ts";
import { startDeadline } from "../base/deadline.ts";
import type { DoctorInvocation } from "../command-line/invocation.ts";
import { openReporter } from "../output/report.ts";
import { awsConfigFindings } from "../doctor/aws-config.ts";
import { configFindings } from "../doctor/config-checks.ts";
import type { DoctorContext } from "../doctor/context.ts";
import { environmentFindings } from "../doctor/environment-checks.ts";
import { fileFindings } from "../doctor/file-checks.ts";
import type { CredentialsView } from "../refresh/credentials-view.ts";
import { examine, type Finding, inOrder } from "../doctor/finding.ts";
import { identityFindings } from "../doctor/identity-checks.ts";
import { providerFindings } from "../doctor/provider-checks.ts";
import { caFindings, proxyFindings } from "../doctor/network-settings.ts";
import { nodeFindings } from "../doctor/node-version.ts";
import { profileFindings } from "../doctor/profile-checks.ts";
import { expiryFindings, nameFindings, readerFindings } from "../doctor/reader-checks.ts";
import { toJson, toText } from "../doctor/render.ts";
import { type Setup, surveySetup } from "../doctor/setup.ts";
import { stsFindings } from "../doctor/sts-checks.ts";
import { addressOf } from "../doctor/sts-probe.ts";
import type { Schedule } from "../doctor/systemd-timer.ts";
import { findSchedules, shortestInterval, timerFindings, windowFindings } from "../doctor/timer-checks.ts";
import { resolveEndpoint } from "../sts/endpoint.ts";
import type { World } from "../base/world.ts";

/**
 * Looks at everything between here and AWS and says what is wrong and what to type. Nothing is changed: no role is
 * assumed, no lock taken, no file written.
 *
 * @returns 1 when a finding is an error, else 0
 * @throws Failure USAGE for a profile that is not configured, INTERRUPTED; whatever else is broken is a finding
 */
export async function doctor(invocation: DoctorInvocation, world: World): Promise<number> {
  const { global } = invocation;
  const reporter = openReporter(world, global);
  const setup = await surveySetup(invocation.config, invocation.profiles, world);
  const deadline = startDeadline(global.timeoutMs, world, world.interrupted);
  const context: DoctorContext = {
    world,
    deadline,
    concurrency: global.concurrency,
    verbose: (message) => reporter.detail(message),
  };
  try {
    const all = await Promise.all([
      localFindings(setup, context),
      scheduledFindings(setup, context),
      networkFindings(setup, context),
    ]);
    const findings = inOrder(all.flat());
    const colour = isColourWanted(world.out, world.env);
    world.out.write(global.json ? toJson(findings) : toText(findings, { colour, quiet: global.quiet }));
    return findings.some(({ level }) => level === "error") ? 1 : 0;
  } finally {
    deadline.clear();
  }
}

/** What the disk and the environment tell. */
async function localFindings(setup: Setup, context: DoctorContext): Promise<readonly Finding[]> {
  const { world } = context;
  const { views, targets } = setup;
  const profiles = targets.map(({ profile }) => profile);
  const profilesOf = (view: CredentialsView) =>
    targets.filter((one) => one.view === view).map(({ profile }) => profile);
  const files = await Promise.all(
    views.map((view) => examine("credentials-file", () => fileFindings(view, setup, context))),
  );
  return [
    ...configFindings(setup),
    ...files.flat(),
    ...views.flatMap((view) => readerFindings(view.document, profilesOf(view))),
    ...views.flatMap((view) => expiryFindings(view.document, profilesOf(view))),
    ...profiles.flatMap((profile) => nameFindings(profile)),
    ...(await awsConfigFindings(profiles, world)),
    ...environmentFindings(setup, world),
    ...nodeFindings(),
  ];
}

/** The profiles' states and the timer: each is judged by the other. */
async function scheduledFindings(setup: Setup, context: DoctorContext): Promise<readonly Finding[]> {
  let schedules: readonly Schedule[] = [];
  const failed = await examine("timer", async () => {
    schedules = await findSchedules(context);
    return [];
  });
  const intervalMs = shortestInterval(schedules);
  const now = context.world.now();
  const states = setup.targets.flatMap((target) => profileFindings(target, now, intervalMs));
  const isStale = states.some(({ level }) => level !== "ok");
  const timers = failed.length > 0 ? failed : timerFindings(schedules, isStale);
  return [...states, ...timers, ...windowFindings(setup.targets, intervalMs)];
}

/** Where keys come from, and STS, at the same time. */
async function networkFindings(setup: Setup, context: DoctorContext): Promise<readonly Finding[]> {
  const { env } = context.world;
  const [identity, provider, sts] = await Promise.all([
    identityFindings(setup.targets, context),
    providerFindings(setup.targets, context),
    stsFindings(setup, context),
  ]);
  const findSts = () => addressOf(resolveEndpoint(setup.targets[0]?.endpoint ?? setup.usualEndpoint, env));
  return [
    ...identity,
    ...provider,
    ...sts.findings,
    ...(await examine("proxy", () => proxyFindings(findSts, env, sts.isReached))),
    ...(await caFindings(env)),
  ];
}
