import { isAbsolute, join, resolve } from "node:path";

import { Failure } from "./failure.ts";

/** What a path that people wrote depends on. */
export interface PathWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * The user's home directory: what `~` means, and `$HOME` where the environment lacks it. Undefined: it is unknown, as in a
   * container whose user has neither `HOME` nor a passwd entry.
   */
  readonly home: string | undefined;
  /** Told the name of each variable that a path is made with, `HOME` excepted. */
  readonly onVariable?: (name: string) => void;
}

/** An absolute path, or why a text is not one: a sentence that follows `NAME = 'text'`. */
export type ExpandedPath =
  | { readonly path: string; readonly problem?: never; readonly hint?: never }
  | { readonly path?: never; readonly problem: string; readonly hint: string };

/** Why `~` means nothing. */
export const HOME_UNKNOWN = "the home directory is unknown: HOME is not set and this user has no passwd entry";
const CWD_GONE = "the working directory no longer exists";

/** Python's `os.path.expandvars` (Lib/posixpath.py): `$NAME` and `${NAME}`, in ASCII; a value is not expanded again. */
const VARIABLE = /\$(?:([A-Za-z0-9_]+)|\{([^}]*)\})/g;
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/**
 * Expands `$NAME`, `${NAME}` and `~` in this order, as botocore does (`raw_config_parse` in botocore/configloader.py).
 * Where botocore leaves a variable or `~user` as it is, and would look for a directory of that name, this is a problem.
 *
 * @param base what a relative path starts from; absolute. Undefined: the working directory, which no longer exists
 */
export function expandPath(text: string, world: PathWorld, base: string | undefined): ExpandedPath {
  const unset = new Set<string>();
  const expanded = text.replaceAll(VARIABLE, (whole, plain?: string, braced?: string) => {
    const name = plain ?? braced ?? "";
    const value = Object.hasOwn(world.env, name) ? world.env[name] : undefined;
    if (value === undefined && name === "HOME" && world.home !== undefined) return world.home;
    if (value === undefined) unset.add(whole);
    else if (name !== "HOME") world.onVariable?.(name);
    return value ?? whole;
  });
  const [first] = unset;
  if (first !== undefined)
    return { problem: `the variable ${first} is not set`, hint: "set it where rolefresh runs, or write the full path" };
  if (expanded === "") return { problem: "it is empty once its variables are expanded", hint: "write the full path" };
  if (CONTROL.test(expanded)) return { problem: "it contains a control character", hint: "write the full path" };
  if (/,\s/.test(expanded)) return { problem: "it looks like a list", hint: "write one path, without ', '" };
  if (/^~[^/]/.test(expanded)) {
    const user = expanded.slice(0, expanded.search(/\/|$/));
    return { problem: `${user} is not expanded`, hint: "write the full path; only ~/ and $HOME are expanded" };
  }
  if (expanded.startsWith("~")) {
    if (world.home === undefined) return { problem: HOME_UNKNOWN, hint: "set HOME, or write the full path" };
    return { path: join(world.home, expanded.slice(1)) };
  }
  if (base === undefined && !isAbsolute(expanded))
    return { problem: CWD_GONE, hint: "write the full path, or change to another directory" };
  return { path: resolve(base ?? "/", expanded) };
}

/** What the usual files of AWS depend on. */
export interface UsualFilesWorld extends PathWorld {
  /** What a relative path in a variable starts from, as for every reader; undefined: it no longer exists. */
  readonly cwd: string | undefined;
}

/** `$AWS_SHARED_CREDENTIALS_FILE`, expanded as botocore does, else `~/.aws/credentials`. */
export function usualCredentialsFile(world: UsualFilesWorld): ExpandedPath {
  return expandPath(world.env["AWS_SHARED_CREDENTIALS_FILE"] || "~/.aws/credentials", world, world.cwd);
}

/** `$AWS_CONFIG_FILE`, expanded as botocore does, else `~/.aws/config`. */
export function usualAwsConfigFile(world: UsualFilesWorld): ExpandedPath {
  return expandPath(world.env["AWS_CONFIG_FILE"] || "~/.aws/config", world, world.cwd);
}

/**
 * The path, or the failure that says why it is none.
 *
 * @param name where the text was written: a variable or an option
 * @throws Failure CONFIG_INVALID
 */
export function pathOrThrow(name: string, expanded: ExpandedPath): string {
  if (expanded.problem === undefined) return expanded.path;
  throw new Failure("CONFIG_INVALID", `${name} cannot be used: ${expanded.problem}`, { hint: expanded.hint });
}

/**
 * The user's home directory.
 *
 * @throws Failure CONFIG_INVALID where it is unknown
 */
export function homeOf({ home }: Pick<PathWorld, "home">): string {
  if (home !== undefined) return home;
  throw new Failure("CONFIG_INVALID", HOME_UNKNOWN, { hint: "set HOME, or give full paths" });
}

/**
 * A path as the working directory has it, absolute; nothing is expanded.
 *
 * @throws Failure CONFIG_INVALID for a relative one where the working directory no longer exists
 */
export function fromWorkingDirectory(path: string, { cwd }: Pick<UsualFilesWorld, "cwd">): string {
  if (cwd === undefined && !isAbsolute(path))
    throw new Failure("CONFIG_INVALID", `${path} cannot be used: ${CWD_GONE}`, { hint: "write the full path" });
  return resolve(cwd ?? "/", path);
}
