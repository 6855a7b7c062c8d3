import { expandPath, usualCredentialsFile } from "../base/expand-path.ts";
import { Failure } from "../base/failure.ts";
import { profileNameProblem } from "../base/profile-name.ts";
import type { World } from "../base/world.ts";
import { ConfigIssues } from "../config/config-issues.ts";
import type { Config, StsEndpoint } from "../config/config.ts";
import { parseIniFile } from "../config/ini-file.ts";
import { type ConfigSource, readConfigSource } from "../config/locate.ts";
import { type ConfigOptions, readConfig } from "../config/read.ts";
import { ambientRegion } from "../config/region.ts";
import { MANAGER } from "../credentials-file/managed.ts";
import type { Step } from "../plan/plan.ts";
import { type CredentialsView, openCredentialsView } from "../refresh/credentials-view.ts";
import { type Loaded, loadProfiles, openFiles, planLoaded } from "../refresh/load.ts";

/** One profile to look at. */
export interface Target {
  readonly profile: string;
  /** Undefined when the config is invalid: then only its name and its section are known. */
  readonly step: Step | undefined;
  readonly view: CredentialsView;
  readonly endpoint: StsEndpoint;
}

/** What is to be examined, as far as it is known: an invalid config leaves the names and the usual file. */
export interface Setup {
  /** The file that was read; undefined for the config-free form, and when there is none. */
  readonly source: ConfigSource | undefined;
  /** Undefined when it is invalid. */
  readonly config: Config | undefined;
  /** Everything that is wrong with it. */
  readonly issues: readonly Failure[];
  readonly targets: readonly Target[];
  /** Every credentials file of the targets. */
  readonly views: readonly CredentialsView[];
  /** Where STS is called when no profile says it. */
  readonly usualEndpoint: StsEndpoint;
}

/**
 * Reads the config and the credentials files; only a wrong name on the command line fails it.
 *
 * @throws Failure USAGE for a profile that is not configured
 */
export async function surveySetup(options: ConfigOptions, selected: readonly string[], world: World): Promise<Setup> {
  const issues: Failure[] = [];
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      issues.push(...(error instanceof ConfigIssues ? error.issues : [error]));
      return undefined;
    }
  };
  const source = options.inline ? undefined : await attempt(() => readConfigSource(options.configFile, world));
  const isReadable = source !== undefined || options.inline !== undefined;
  const loaded = isReadable
    ? ((await attempt(() => loadProfiles(options, world))) ?? (await loadWithoutSources(options, world)))
    : undefined;
  const common = { source, config: loaded?.config, issues, usualEndpoint: usualEndpoint(world) };
  if (!loaded) {
    const view = await openUsualFile(options, world);
    const names = selected.length > 0 ? selected : knownNames(source, view);
    const targets = view
      ? names.map((profile) => ({ profile, step: undefined, view, endpoint: common.usualEndpoint }))
      : [];
    return { ...common, targets, views: view ? [view] : [] };
  }
  // Names the nearest profile for a wrong one.
  planLoaded(loaded, selected, false, world);
  const targets = withSources(planLoaded(loaded, [], false, world), selected).map((step) => ({
    profile: step.spec.profile,
    step,
    view: loaded.viewOf(step.spec),
    endpoint: step.spec.endpoint,
  }));
  return { ...common, targets, views: [...new Set(targets.map(({ view }) => view))] };
}

/** A `source_profile` that is nowhere is a mistake of one profile: the others can be examined in full. */
async function loadWithoutSources(options: ConfigOptions, world: World): Promise<Loaded | undefined> {
  try {
    return await openFiles(await readConfig(options, world), world);
  } catch (error) {
    // It is among the issues already.
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** The selected steps and every step whose keys they call with: a stale chained role may have its cause there. */
function withSources(steps: readonly Step[], selected: readonly string[]): readonly Step[] {
  const wanted = new Set<Step>();
  for (const step of steps) {
    if (selected.length > 0 && !selected.includes(step.spec.profile)) continue;
    for (let current: Step | undefined = step; current && !wanted.has(current); current = current.source)
      wanted.add(current);
  }
  return steps.filter((step) => wanted.has(step));
}

/** The file that tools read; undefined where its path cannot be expanded, which is a finding of its own. */
async function openUsualFile(options: ConfigOptions, world: World): Promise<CredentialsView | undefined> {
  const { credentialsFile: named } = options;
  const { path } = named === undefined ? usualCredentialsFile(world) : expandPath(named, world, world.cwd);
  return path === undefined ? undefined : await openCredentialsView(path, world);
}

/** The sections of an invalid config, and those that rolefresh has written. */
function knownNames(source: ConfigSource | undefined, view: CredentialsView | undefined): readonly string[] {
  const document = view?.document;
  const written = (document?.names ?? []).filter((name) => document?.profile(name)?.manager === MANAGER);
  const configured = source ? parseIniFile(source.text).sections.map(({ name }) => name) : [];
  return [...new Set([...configured, ...written])].filter(
    (name) => name !== "*" && profileNameProblem(name) === undefined,
  );
}

function usualEndpoint({ env }: Pick<World, "env">): StsEndpoint {
  const ambient = ambientRegion(env);
  return { region: ambient.kind === "region" ? ambient.region : "us-east-1", url: undefined };
}
