import { expandPath, pathOrThrow, usualCredentialsFile } from "../base/expand-path.ts";
import { Failure } from "../base/failure.ts";
import type { RemoveInvocation } from "../command-line/invocation.ts";
import type { ProfileSpec } from "../config/config.ts";
import { didYouMean } from "../config/did-you-mean.ts";
import { readConfig } from "../config/read.ts";
import { MANAGER } from "../credentials-file/managed.ts";
import type { World } from "../base/world.ts";
import { type CredentialsView, openCredentialsView } from "../refresh/credentials-view.ts";

/** A profile and the credentials file that its section is in, or would be. */
export interface Found {
  readonly profile: string;
  readonly view: CredentialsView;
  /** Undefined for a profile that is not configured any more. */
  readonly configured: ProfileSpec | undefined;
  readonly writeMode: ProfileSpec["writeMode"];
}

/**
 * Finds the files of profiles by name. A configured one is in its own file; any other is looked for in the usual file and
 * in those that the configuration names.
 *
 * @throws Failure USAGE for a name that is nowhere, or in several files; CONFIG_*, but a configuration need not be there
 */
export async function locateSections(
  { config: options, profiles }: Pick<RemoveInvocation, "config" | "profiles">,
  world: World,
): Promise<readonly Found[]> {
  const specs = await configuredProfiles(options, world);
  const usual = chosenFile(options.credentialsFile, world);
  const paths = [...new Set([usual, ...specs.map((spec) => spec.credentialsFile)])];
  const views = await Promise.all(paths.map((path) => openCredentialsView(path, world)));
  return profiles.map((profile) => {
    const configured = specs.find((spec) => spec.profile === profile);
    const view = configured
      ? views.find(({ path }) => path === configured.credentialsFile)
      : theViewOf(profile, views, specs);
    if (!view) throw new Error(`no view for ${profile}`);
    const inPlace = specs.some((spec) => spec.writeMode === "in-place" && spec.credentialsFile === view.path);
    return { profile, view, configured, writeMode: inPlace ? "in-place" : "atomic" };
  });
}

async function configuredProfiles(options: RemoveInvocation["config"], world: World): Promise<readonly ProfileSpec[]> {
  try {
    return (await readConfig(options, world)).profiles;
  } catch (error) {
    const isNamed = options.configFile !== undefined || Boolean(world.env["ROLEFRESH_CONFIG"]);
    if (error instanceof Failure && error.code === "CONFIG_MISSING" && !isNamed) return [];
    throw error;
  }
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

function theViewOf(profile: string, views: readonly CredentialsView[], specs: readonly ProfileSpec[]): CredentialsView {
  const [view, other] = views.filter((candidate) => candidate.document?.profile(profile));
  if (view && other) {
    throw new Failure("USAGE", `profile '${profile}' is in ${view.path} and in ${other.path}`, {
      hint: "say which with --credentials-file",
    });
  }
  if (view) return view;
  // A file that cannot be read may hold it: then that is the fault.
  const unreadable = views.find(({ failure }) => failure);
  if (unreadable) return unreadable;
  const known = [...specs.map((spec) => spec.profile), ...views.flatMap(oursIn)];
  const files = views.map(({ path }) => path).join(" or ");
  throw new Failure("USAGE", `no profile '${profile}' is configured or in ${files}`, {
    hint: didYouMean(profile, known) ?? listOf(known),
  });
}

/** The profiles of a file that rolefresh wrote. */
export function oursIn({ document }: Pick<CredentialsView, "document">): readonly string[] {
  return (document?.names ?? []).filter((name) => document?.profile(name)?.manager === MANAGER);
}

function listOf(names: readonly string[]): string {
  const unique = [...new Set(names)];
  if (unique.length === 0) return "rolefresh has written nothing there";
  return `there are: ${unique.slice(0, 10).join(", ")}${unique.length > 10 ? ", …" : ""}`;
}
