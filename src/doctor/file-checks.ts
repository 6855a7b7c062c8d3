import { access, constants, lstat, stat } from "node:fs/promises";

import { errnoOf } from "../base/failure.ts";
import type { CredentialsView } from "../refresh/credentials-view.ts";
import { directoryOf } from "../safe-file/sibling-paths.ts";
import type { ResolvedFile } from "../safe-file/resolve-file.ts";
import type { DoctorContext } from "./context.ts";
import { failureFinding, finding, type Finding } from "./finding.ts";
import { leftoverFindings } from "./leftovers.ts";
import { linkChain } from "./link-chain.ts";
import { findFileMount } from "./mount.ts";
import type { Setup } from "./setup.ts";

interface Place {
  readonly view: CredentialsView;
  readonly file: ResolvedFile;
  readonly context: DoctorContext;
  /** Whether a profile of the file is written by a rename. */
  readonly isReplaced: boolean;
}

/** A credentials file and its surroundings: can it be read by us and nobody else, and can it be replaced. */
export async function fileFindings(
  view: CredentialsView,
  setup: Setup,
  context: DoctorContext,
): Promise<readonly Finding[]> {
  const chain = (await linkChain(view.path)).join(" → ");
  const found: Finding[] = [];
  if (view.failure) found.push(failureFinding("credentials-file", view.failure));
  const { file } = view;
  if (!file) return found;
  const shown = chain.endsWith(file.target) ? chain : `${chain} → ${file.target}`;
  if (!view.failure) {
    found.push(
      view.document?.bytes === undefined
        ? finding("credentials-file", "warning", `there is no credentials file ${shown} yet`, {
            hint: "the first refresh makes it: rolefresh refresh",
          })
        : finding("credentials-file", "ok", `${shown} can be read`),
    );
  }
  const isReplaced = setup.targets.some((target) => target.view === view && target.step?.spec.writeMode !== "in-place");
  const place = { view, file, context, isReplaced };
  return [
    ...found,
    ...(await permissionFindings(place)),
    ...(await directoryFindings(place)),
    ...(await mountFindings(place)),
    ...(await leftoverFindings(file, context.world.now())),
  ];
}

async function permissionFindings({ file, context, isReplaced }: Place): Promise<readonly Finding[]> {
  const { uid } = context.world;
  const stats = await lstat(file.target).catch(() => undefined);
  if (!stats?.isFile() || uid === undefined) return [];
  const mode = stats.mode & 0o777;
  const octal = mode.toString(8).padStart(4, "0");
  const found: Finding[] = [];
  const chmod = { hint: `chmod 600 ${file.target}` };
  if ((mode & 0o022) !== 0)
    found.push(
      finding("permissions", "error", `${file.target} has mode ${octal}: others may change the credentials`, chmod),
    );
  else if ((mode & 0o044) !== 0)
    found.push(
      finding("permissions", "warning", `${file.target} has mode ${octal}: others may read the credentials`, chmod),
    );
  if (stats.uid !== uid && uid !== 0 && isReplaced)
    found.push(
      finding(
        "permissions",
        "error",
        `${file.target} belongs to user ${stats.uid} and not to user ${uid}, who cannot give a new file to its owner`,
        { hint: "run as its owner, or set write_mode = in-place" },
      ),
    );
  const directory = await stat(directoryOf(file)).catch(() => undefined);
  // As root left it before it gave new files to the owner of their directory.
  if (directory && directory.uid !== stats.uid && directory.uid !== 0)
    found.push(
      finding(
        "permissions",
        "error",
        `${file.target} belongs to user ${stats.uid}, but its directory to user ${directory.uid}, who may not be able to read it`,
        { hint: `chown ${directory.uid}:${directory.gid} ${file.target}` },
      ),
    );
  if (found.length > 0) return found;
  return [finding("permissions", "ok", `${file.target} has mode ${octal} and belongs to user ${stats.uid}`)];
}

async function directoryFindings({ file, context }: Place): Promise<readonly Finding[]> {
  const { uid } = context.world;
  const directory = directoryOf(file);
  let stats: Awaited<ReturnType<typeof stat>>;
  try {
    stats = await stat(directory);
  } catch (error) {
    if (errnoOf(error) === "ENOENT")
      return [
        finding("directory", "ok", `there is no ${directory} yet: the first refresh makes it, for its owner alone`),
      ];
    return [finding("directory", "error", `${directory} cannot be looked at: ${errnoOf(error) ?? "unknown error"}`)];
  }
  const found: Finding[] = [];
  try {
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    const why = errnoOf(error) === "EROFS" ? "the file system is read-only" : "permission denied";
    found.push(
      finding("directory", "error", `no lock or temp file can be made in ${directory}: ${why}`, {
        hint: `look at its owner, mode and mount: ls -ld ${directory}; findmnt -T ${directory}`,
      }),
    );
  }
  const mode = stats.mode & 0o1777;
  const octal = mode.toString(8).padStart(4, "0");
  // In a sticky directory, such as /tmp, nobody can replace what belongs to another.
  if (uid !== undefined && (mode & 0o022) !== 0 && (mode & 0o1000) === 0)
    found.push(
      finding("directory", "warning", `${directory} has mode ${octal}: others may replace the credentials file`, {
        hint: `chmod go-w ${directory}`,
      }),
    );
  if (uid !== undefined && stats.uid !== uid && stats.uid !== 0 && uid !== 0)
    found.push(
      finding(
        "directory",
        "warning",
        `${directory} belongs to user ${stats.uid}, who may replace the credentials file`,
        {
          hint: "run as its owner, or keep the file in a directory of your own",
        },
      ),
    );
  if (found.length > 0) return found;
  return [finding("directory", "ok", `${directory} has mode ${octal} and can be written`)];
}

async function mountFindings({ file, isReplaced }: Place): Promise<readonly Finding[]> {
  const mount = await findFileMount(file.target);
  if (!mount) return [finding("mount", "ok", `${file.target} is no mount point of its own`)];
  if (mount.isDetached)
    return [
      finding(
        "mount",
        "error",
        `${file.target} is a single file mounted from elsewhere, where it was replaced: what is read and written here is the old one`,
        { hint: "mount the directory that holds the file, not the file, and start the container anew" },
      ),
    ];
  if (isReplaced)
    return [
      finding(
        "mount",
        "error",
        `${file.target} is a single mounted file: replacing it fails with EBUSY (rename over a mount point)`,
        { hint: "mount the directory that holds it, or set write_mode = in-place" },
      ),
    ];
  return [
    finding("mount", "ok", `${file.target} is a single mounted file, and write_mode = in-place writes it where it is`),
  ];
}
