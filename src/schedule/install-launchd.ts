import { Failure } from "../base/failure.ts";
import { LAUNCHD_LABEL, PLIST_MARK } from "./launchd-plist.ts";
import { removeManagedFile, writeManagedFile } from "./managed-file.ts";
import { runTool, type ToolContext } from "./run-tool.ts";

/** Where a launchd job goes (launchd.plist(5), launchctl(1)). */
export interface LaunchdPlace {
  readonly file: string;
  /** `gui/501`, `system`. */
  readonly domain: string;
  readonly uid: number | undefined;
}

/**
 * Writes the property list and loads it (launchctl(1), `bootstrap`).
 *
 * @throws Failure SCHEDULER_MISSING before anything is written; SCHEDULER_FAILED, naming what was written
 */
export async function installLaunchd(place: LaunchdPlace, plist: string, context: ToolContext): Promise<void> {
  await runTool("launchctl", ["version"], context);
  await writeManagedFile(place.file, plist, PLIST_MARK, place.uid);
  // A loaded job keeps its old settings until it is unloaded; it fails if none is loaded.
  await runTool("launchctl", ["bootout", `${place.domain}/${LAUNCHD_LABEL}`], context);
  const answer = await runTool("launchctl", ["bootstrap", place.domain, place.file], context);
  if (answer.status === 0) return;
  throw new Failure("SCHEDULER_FAILED", `${place.file} was written, but launchd did not load it: ${answer.complaint}`, {
    hint: `run: launchctl bootstrap ${place.domain} ${place.file}`,
  });
}

/** @returns the files that were removed @throws as installLaunchd */
export async function uninstallLaunchd(place: LaunchdPlace, context: ToolContext): Promise<readonly string[]> {
  await runTool("launchctl", ["bootout", `${place.domain}/${LAUNCHD_LABEL}`], context);
  return (await removeManagedFile(place.file, PLIST_MARK, place.uid)) ? [place.file] : [];
}
