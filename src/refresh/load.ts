import { Failure } from "../base/failure.ts";
import type { Config, ProfileReference, ProfileSpec, References } from "../config/config.ts";
import { ConfigIssues } from "../config/config-issues.ts";
import { didYouMean } from "../config/did-you-mean.ts";
import { type ConfigOptions, readConfig } from "../config/read.ts";
import { planRun, type Step } from "../plan/plan.ts";
import type { World } from "../base/world.ts";
import { type CredentialsView, openCredentialsView } from "./credentials-view.ts";

/** A configuration together with what its credentials files hold now. */
export interface Loaded {
  readonly config: Config;
  readonly viewOf: (spec: ProfileSpec) => CredentialsView;
  readonly views: readonly CredentialsView[];
}

/**
 * Reads the configuration and every credentials file that it names: no network, no lock. A file that cannot be read is
 * the failure of its own profiles; those in other files go on.
 *
 * @throws Failure CONFIG_*; ConfigIssues, also for a `source_profile` that is nowhere
 */
export async function loadProfiles(options: ConfigOptions, world: World): Promise<Loaded> {
  let config: Config;
  try {
    config = await readConfig(options, world);
  } catch (error) {
    if (!(error instanceof ConfigIssues) || !error.references) throw error;
    const { references, issues } = error;
    const missing = missingSources(references, await openViews(references.profiles, world));
    throw new ConfigIssues([...issues, ...missing], references);
  }
  const { profiles } = config;
  const views = await openViews(profiles, world);
  const missing = missingSources({ names: profiles.map(({ profile }) => profile), profiles }, views);
  if (missing.length > 0) throw new ConfigIssues(missing);
  return toLoaded(config, views);
}

/** As `loadProfiles`, or undefined where no config file is named and there is none. */
export async function loadIfConfigured(options: ConfigOptions, world: World): Promise<Loaded | undefined> {
  return await ifConfigured(options, world, () => loadProfiles(options, world));
}

/** The result of `read`, or undefined where no config file is named and there is none. */
export async function ifConfigured<T>(
  { configFile }: ConfigOptions,
  { env }: Pick<World, "env">,
  read: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    const isNamed = configFile !== undefined || Boolean(env["ROLEFRESH_CONFIG"]);
    if (error instanceof Failure && error.code === "CONFIG_MISSING" && !isNamed) return undefined;
    throw error;
  }
}

/** Opens the files of a checked config. A `source_profile` that has gone since fails its own profile alone, when it is due. */
export async function openFiles(config: Config, world: World): Promise<Loaded> {
  return toLoaded(config, await openViews(config.profiles, world));
}

function toLoaded(config: Config, views: ReadonlyMap<string, CredentialsView>): Loaded {
  const viewOf = (spec: ProfileSpec): CredentialsView => {
    const view = views.get(spec.credentialsFile);
    if (!view) throw new Error(`no view of ${spec.credentialsFile}`);
    return view;
  };
  return { config, viewOf, views: [...views.values()] };
}

/** Every credentials file of these profiles, by its path. */
async function openViews(
  profiles: readonly ProfileReference[],
  world: World,
): Promise<ReadonlyMap<string, CredentialsView>> {
  const views = new Map<string, CredentialsView>();
  for (const path of new Set(profiles.map((spec) => spec.credentialsFile)))
    views.set(path, await openCredentialsView(path, world));
  return views;
}

/** A `source_profile` must be a configured profile or a section of the credentials file. */
function missingSources(
  { names: configured, profiles }: References,
  views: ReadonlyMap<string, CredentialsView>,
): readonly Failure[] {
  return profiles.flatMap(({ profile, source, credentialsFile, origin }) => {
    if (!("sourceProfile" in source) || configured.includes(source.sourceProfile)) return [];
    const name = source.sourceProfile;
    const view = views.get(credentialsFile);
    if (!view || view.failure || view.document?.profile(name)) return [];
    const names = [...configured, ...(view.document?.names ?? [])].filter((other) => other !== profile);
    const message = `source_profile '${name}' is neither configured nor a section of ${credentialsFile}`;
    return [new Failure("CONFIG_INVALID", `${origin}: [${profile}] ${message}`, { hint: didYouMean(name, names) })];
  });
}

/** @throws Failure USAGE for a name on the command line that is not configured */
export function refuseUnknown(config: Config, selected: readonly string[]): void {
  const names = config.profiles.map((spec) => spec.profile);
  for (const name of selected) {
    if (names.includes(name)) continue;
    const where = config.file === undefined ? "" : ` in ${config.file}`;
    throw new Failure("USAGE", `no profile '${name}' is configured${where}`, {
      hint: didYouMean(name, [...names, "refresh", "check", "status"]) ?? `configured: ${listOf(names)}`,
    });
  }
}

/** The first ten names, for hints. */
export function listOf(names: readonly string[]): string {
  return names.slice(0, 10).join(", ") + (names.length > 10 ? ", …" : "");
}

/**
 * The steps of a run.
 *
 * @throws Failure USAGE for a name on the command line that is not configured
 */
export function planLoaded(loaded: Loaded, selected: readonly string[], force: boolean, world: World): readonly Step[] {
  refuseUnknown(loaded.config, selected);
  return planRun({
    profiles: loaded.config.profiles,
    selected,
    force,
    now: world.now(),
    hostname: world.hostname,
    written: (spec) => loaded.viewOf(spec).written(spec.profile),
  });
}
