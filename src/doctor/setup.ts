import { join } from "node:path";

import { expandPath, usualCredentialsFile } from "../base/expand-path.ts";
import { Failure } from "../base/failure.ts";
import { type CredentialsView, openCredentialsView } from "../refresh/credentials-view.ts";
import { type Loaded, loadProfiles, planLoaded } from "../refresh/load.ts";
import type { Config, StsEndpoint } from "../config/config.ts";
import { parseIniFile } from "../config/ini-file.ts";
import { type ConfigSource, readConfigSource } from "../config/locate.ts";
import { ambientRegion } from "../config/region.ts";
import { ConfigMistakes } from "../config/config-issues.ts";
import { profileNameProblem } from "../base/profile-name.ts";
import { type ConfigOptions, readConfig } from "../config/read.ts";
import { MANAGER } from "../credentials-file/managed.ts";
import type { Step } from "../plan/plan.ts";
import type { World } from "../base/world.ts";

/** One profile to look at. */
export interface Target {
  readonly profile: string;
  /** Undefined when the configuration is broken: then only its name and its section are known. */
  readonly step: Step | undefined;
  readonly view: CredentialsView;
  readonly endpoint: StsEndpoint;
}

/** What is to be examined, as far as it can be known: a broken configuration leaves the names and the usual file. */
export interface Setup {
  /** The file that was read; undefined for the config-free form, and when there is none. */
  readonly source: ConfigSource | undefined;
  /** Undefined when it is broken. */
  readonly config: Config | undefined;
  /** Everything that is wrong with it. */
  readonly mistakes: readonly Failure[];
  readonly targets: readonly Target[];
  /** Every credentials file of the targets; at least one. */
  readonly views: readonly CredentialsView[];
  /** Where STS is asked when there is no profile to say it. */
  readonly usualEndpoint: StsEndpoint;
}

/**
 * Reads configuration and credentials files; nothing of it fails but a wrong name on the command line.
 *
 * @throws Failure USAGE for a profile that is not configured
 */
export async function surveySetup(options: ConfigOptions, selected: readonly string[], world: World): Promise<Setup> {
  const mistakes: Failure[] = [];
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      mistakes.push(...(error instanceof ConfigMistakes ? error.mistakes : [error]));
      return undefined;
    }
  };
  const source = options.inline ? undefined : await attempt(() => readConfigSource(options.configFile, world));
  const isReadable = source !== undefined || options.inline !== undefined;
  const loaded =
    (isReadable ? await attempt(() => loadProfiles(options, world)) : undefined) ??
    (isReadable ? await loadWithoutSources(options, world) : undefined);
  if (!loaded) return await surveyBroken(source, mistakes, options, selected, world);

  // Names the nearest profile for a wrong one.
  planLoaded(loaded, selected, false, world);
  const steps = planLoaded(loaded, [], false, world);
  const targets = withSources(steps, selected).map((step) => ({
    profile: step.spec.profile,
    step,
    view: loaded.viewOf(step.spec),
    endpoint: step.spec.endpoint,
  }));
  const views = [...new Set(targets.map(({ view }) => view))];
  return { source, config: loaded.config, mistakes, targets, views, usualEndpoint: usualEndpoint(world) };
}

/** A `source_profile` that is nowhere is a mistake of one profile: the others can be examined in full. */
async function loadWithoutSources(options: ConfigOptions, world: World): Promise<Loaded | undefined> {
  try {
    const config = await readConfig(options, world);
    const views = new Map<string, CredentialsView>();
    for (const { credentialsFile } of config.profiles) {
      if (!views.has(credentialsFile)) views.set(credentialsFile, await openCredentialsView(credentialsFile, world));
    }
    const viewOf: Loaded["viewOf"] = ({ credentialsFile }) => {
      const view = views.get(credentialsFile);
      if (!view) throw new Error(`no view of ${credentialsFile}`);
      return view;
    };
    return { config, viewOf, views: [...views.values()] };
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** The selected steps and every step whose keys they call with: why a chained role is stale may be told there. */
function withSources(steps: readonly Step[], selected: readonly string[]): readonly Step[] {
  const wanted = new Set<Step>();
  for (const step of steps) {
    if (selected.length > 0 && !selected.includes(step.spec.profile)) continue;
    for (let current: Step | undefined = step; current && !wanted.has(current); current = current.source)
      wanted.add(current);
  }
  return steps.filter((step) => wanted.has(step));
}

async function surveyBroken(
  source: ConfigSource | undefined,
  mistakes: readonly Failure[],
  options: ConfigOptions,
  selected: readonly string[],
  world: World,
): Promise<Setup> {
  const named = options.credentialsFile;
  const chosen = named === undefined ? usualCredentialsFile(world) : expandPath(named, world, world.cwd);
  const endpoint = usualEndpoint(world);
  // A path that cannot be expanded is one of the mistakes.
  const path = chosen.path ?? (world.home === undefined ? undefined : join(world.home, ".aws", "credentials"));
  if (path === undefined)
    return { source, config: undefined, mistakes, targets: [], views: [], usualEndpoint: endpoint };
  const view = await openCredentialsView(path, world);
  const { document } = view;
  const managed = (document?.names ?? []).filter((name) => document?.profile(name)?.manager === MANAGER);
  const written = source ? parseIniFile(source.text).sections.map((section) => section.name) : [];
  const known = [...new Set([...written, ...managed])].filter(
    (name) => name !== "*" && profileNameProblem(name) === undefined,
  );
  const targets = (selected.length > 0 ? selected : known).map((profile) => ({
    profile,
    step: undefined,
    view,
    endpoint,
  }));
  return { source, config: undefined, mistakes, targets, views: [view], usualEndpoint: endpoint };
}

function usualEndpoint({ env }: Pick<World, "env">): StsEndpoint {
  const ambient = ambientRegion(env);
  return { region: ambient.kind === "region" ? ambient.region : "us-east-1", url: undefined };
}
