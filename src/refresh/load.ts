import { Failure } from "../base/failure.ts";
import type { ProfileReference, ProfileSpec, References } from "../config/config.ts";
import { ConfigIssues } from "../config/config-issues.ts";
import { didYouMean } from "../config/did-you-mean.ts";
import { type ConfigOptions, readConfig } from "../config/read.ts";
import type { Config } from "../config/config.ts";
import { planRun, type Step } from "../plan/plan.ts";
import type { World } from "../base/world.ts";
import { openCredentialsView, type CredentialsView } from "./credentials-view.ts";

/** A configuration together with what its credentials files hold now. */
export interface Loaded {
  readonly config: Config;
  readonly viewOf: (spec: ProfileSpec) => CredentialsView;
  readonly views: readonly CredentialsView[];
}

/**
 * Reads the configuration and every credentials file that it names: no network, no lock. A file that cannot be read is
 * kept as the failure of its own profiles, so that those in other files go on.
 *
 * @throws Failure CONFIG_*; ConfigIssues
 */
export async function loadProfiles(options: ConfigOptions, world: World): Promise<Loaded> {
  let config: Config;
  try {
    config = await readConfig(options, world);
  } catch (error) {
    if (!(error instanceof ConfigIssues) || !error.references) throw error;
    const { references, issues } = error;
    const missing = staticSourceMistakes(references, await openAll(references.profiles, world));
    throw new ConfigIssues([...issues, ...missing], references);
  }
  return openFiles(config, world);
}

/**
 * Reads every credentials file that a configuration names.
 *
 * @throws ConfigIssues for a `source_profile` that is nowhere
 */
export async function openFiles(config: Config, world: World): Promise<Loaded> {
  const { profiles } = config;
  const views = await openAll(profiles, world);
  const issues = staticSourceMistakes({ names: profiles.map(({ profile }) => profile), profiles }, views);
  if (issues.length > 0) throw new ConfigIssues(issues);
  return toLoaded(config, views);
}

/** The same for a daemon, whose files change: a `source_profile` that is gone fails its own profile alone, when it is due. */
export async function openFilesAgain(config: Config, world: World): Promise<Loaded> {
  return toLoaded(config, await openAll(config.profiles, world));
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
async function openAll(
  profiles: readonly ProfileReference[],
  world: World,
): Promise<ReadonlyMap<string, CredentialsView>> {
  const views = new Map<string, CredentialsView>();
  for (const path of new Set(profiles.map((spec) => spec.credentialsFile)))
    views.set(path, await openCredentialsView(path, world));
  return views;
}

/** A `source_profile` must be a configured profile or a section of the credentials file. */
function staticSourceMistakes(
  { names: configured, profiles }: References,
  views: ReadonlyMap<string, CredentialsView>,
): readonly Failure[] {
  const issues: Failure[] = [];
  for (const spec of profiles) {
    if (!("sourceProfile" in spec.source) || configured.includes(spec.source.sourceProfile)) continue;
    const view = views.get(spec.credentialsFile);
    if (!view || view.failure || view.document?.profile(spec.source.sourceProfile)) continue;
    const names = [...configured, ...(view.document?.names ?? [])].filter((name) => name !== spec.profile);
    const name = spec.source.sourceProfile;
    const message = `source_profile '${name}' is neither configured nor a section of ${spec.credentialsFile}`;
    issues.push(
      new Failure("CONFIG_INVALID", `${spec.origin}: [${spec.profile}] ${message}`, { hint: didYouMean(name, names) }),
    );
  }
  return issues;
}

/** @throws Failure USAGE for a name on the command line that is not configured */
export function refuseUnknown(config: Config, selected: readonly string[]): void {
  const names = config.profiles.map((spec) => spec.profile);
  for (const name of selected) {
    if (names.includes(name)) continue;
    throw new Failure(
      "USAGE",
      `no profile '${name}' is configured${config.file === undefined ? "" : ` in ${config.file}`}`,
      {
        hint:
          didYouMean(name, [...names, "refresh", "check", "status"]) ??
          `configured are: ${names.slice(0, 10).join(", ")}${names.length > 10 ? ", …" : ""}`,
      },
    );
  }
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
