import { expandPath, pathOrThrow, usualCredentialsFile } from "../base/expand-path.ts";
import { Failure } from "../base/failure.ts";
import type { RemoveInvocation } from "../command-line/invocation.ts";
import type { ProfileSpec } from "../config/config.ts";
import { didYouMean } from "../config/did-you-mean.ts";
import { readConfig } from "../config/read.ts";
import { MANAGER } from "../credentials-file/managed.ts";
import type { World } from "../base/world.ts";
import { type CredentialsView, openCredentialsView } from "../refresh/credentials-view.ts";
import { ifConfigured, listOf } from "../refresh/load.ts";

/** A profile and the credentials file of its section. */
export interface LocatedSection {
  readonly profile: string;
  readonly view: CredentialsView;
  /** Undefined for a profile that is not configured any more. */
  readonly configured: ProfileSpec | undefined;
  readonly writeMode: ProfileSpec["writeMode"];
}

/**
 * Locates the sections of profiles by name: a configured one in its own file, any other in the default file and in those
 * that the config names.
 *
 * @throws Failure USAGE for a name that is nowhere, or in several files; CONFIG_*, but no config is needed
 */
export async function locateSections(
  { config: options, profiles }: Pick<RemoveInvocation, "config" | "profiles">,
  world: World,
): Promise<readonly LocatedSection[]> {
  const specs = (await ifConfigured(options, world, () => readConfig(options, world)))?.profiles ?? [];
  const usual = chosenFile(options.credentialsFile, world);
  const paths = [...new Set([usual, ...specs.map((spec) => spec.credentialsFile)])];
  const views = await Promise.all(paths.map((path) => openCredentialsView(path, world)));
  return profiles.map((profile) => {
    const configured = specs.find((spec) => spec.profile === profile);
    const view = configured
      ? views.find(({ path }) => path === configured.credentialsFile)
      : viewHolding(profile, views, specs);
    if (!view) throw new Error(`no view for ${profile}`);
    const inPlace = specs.some((spec) => spec.writeMode === "in-place" && spec.credentialsFile === view.path);
    return { profile, view, configured, writeMode: inPlace ? "in-place" : "atomic" };
  });
}

/**
 * `--credentials-file`, else `$AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/credentials`.
 *
 * @throws Failure CONFIG_INVALID for a path with a variable that is not set
 */
export function chosenFile(named: string | undefined, world: Pick<World, "env" | "home" | "cwd">): string {
  return named === undefined
    ? pathOrThrow("AWS_SHARED_CREDENTIALS_FILE", usualCredentialsFile(world))
    : pathOrThrow("--credentials-file", expandPath(named, world, world.cwd));
}

function viewHolding(
  profile: string,
  views: readonly CredentialsView[],
  specs: readonly ProfileSpec[],
): CredentialsView {
  const [view, other] = views.filter((candidate) => candidate.document?.profile(profile));
  if (view && other) {
    throw new Failure("USAGE", `profile '${profile}' is in ${view.path} and in ${other.path}`, {
      hint: "choose one with --credentials-file",
    });
  }
  if (view) return view;
  // A file that cannot be read may hold it.
  const unreadable = views.find(({ failure }) => failure);
  if (unreadable) return unreadable;
  const known = [...new Set([...specs.map((spec) => spec.profile), ...views.flatMap(oursIn)])];
  const files = views.map(({ path }) => path).join(" or ");
  throw new Failure("USAGE", `no profile '${profile}' is configured or in ${files}`, {
    hint:
      didYouMean(profile, known) ??
      (known.length === 0 ? "rolefresh has written nothing there" : `known: ${listOf(known)}`),
  });
}

/** The profiles that rolefresh wrote in a file. */
export function oursIn({ document }: Pick<CredentialsView, "document">): readonly string[] {
  return (document?.names ?? []).filter((name) => document?.profile(name)?.manager === MANAGER);
}
