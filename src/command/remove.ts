import { startDeadline } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import { exitCodeOf, worstExitCode } from "../output/exit-code.ts";
import type { RemoveInvocation } from "../command-line/invocation.ts";
import { openReporter, type Reporter } from "../output/report.ts";
import type { FileWarning } from "../credentials-file/warnings.ts";
import { foreignFailure, foreignTo, ownershipOf, UNWRITTEN } from "../credentials-file/ownership.ts";
import type { EditResult } from "../credentials-file/edit.ts";
import type { World } from "../base/world.ts";
import type { CredentialsView } from "../refresh/credentials-view.ts";
import { locateSections, type LocatedSection } from "./locate-sections.ts";

/** How the removal of one profile ended. */
interface Removal extends LocatedSection {
  /** `present`: only in a dry run, where it would be removed; `absent`: it was not there. */
  readonly outcome: "removed" | "present" | "absent" | "failed";
  readonly failure: Failure | undefined;
}

/**
 * Takes the managed keys of profiles out of their credentials files, and a section with them when nothing else is in it.
 * Never touches a section that rolefresh did not write. One profile's failure does not stop the others.
 *
 * @returns 0 when all are gone, else the most permanent fault's exit status
 * @throws Failure USAGE for a name that is neither configured nor in a file; then nothing is removed
 */
export async function remove(invocation: RemoveInvocation, world: World): Promise<number> {
  const { global, dryRun } = invocation;
  const reporter = openReporter(world, global);
  const found = await locateSections(invocation, world);
  const planned = found.map(classifyRemoval);
  const removals = dryRun ? planned : await removeAll(planned, invocation, reporter, world);
  for (const { failure, profile } of removals) if (failure) reporter.error(failure, profile);
  world.interrupted.throwIfAborted();
  if (global.json) world.out.write(`${JSON.stringify(toJson(removals, dryRun))}\n`);
  else if (!global.quiet && (dryRun || world.out.isTTY)) {
    const { renderTable } = await import("../output/table.ts");
    const rows = removals.map(({ profile, outcome, view }) => [profile, outcome, view.path]);
    world.out.write(renderTable(["PROFILE", "OUTCOME", "CREDENTIALS FILE"], rows));
    if (!dryRun) remindOfConfig(removals, reporter);
  }
  return worstExitCode(removals.flatMap(({ failure }) => (failure ? [exitCodeOf(failure.code)] : [])));
}

/** What removing a profile would do to the file as it is now. */
function classifyRemoval(found: LocatedSection): Removal {
  const { profile, view, configured } = found;
  if (view.failure) return { ...found, outcome: "failed", failure: view.failure };
  const section = view.document?.profile(profile);
  if (ownershipOf(section).kind === "ours") {
    const unsafe = view.refusalOf(profile);
    return unsafe
      ? { ...found, outcome: "failed", failure: unsafe }
      : { ...found, outcome: "present", failure: undefined };
  }
  const foreign = foreignTo("remove", section);
  // A configured profile whose section holds nothing of ours, or is not there, is as it should be.
  if (!foreign && configured) return { ...found, outcome: "absent", failure: undefined };
  const { reason, line } = foreign ?? { reason: UNWRITTEN, line: section?.line ?? 0 };
  const failure = foreignFailure("remove", profile, view.path, { reason, line });
  return { ...found, outcome: "failed", failure };
}

async function removeAll(
  planned: readonly Removal[],
  { global }: RemoveInvocation,
  reporter: Reporter,
  world: World,
): Promise<readonly Removal[]> {
  const deadline = startDeadline(global.timeoutMs, world, world.interrupted);
  try {
    const results = new Map<Removal, EditResult>();
    for (const view of new Set(planned.map((removal) => removal.view))) {
      const group = planned.filter((removal) => removal.view === view && removal.outcome === "present");
      if (group.length === 0 || !view.file) continue;
      const { updateCredentialsFile } = await import("../refresh/update-credentials-file.ts");
      try {
        const outcome = await updateCredentialsFile(
          {
            file: view.file,
            edits: group.map(({ profile }) => ({
              profile,
              edit: { kind: "remove" },
              overwrite: false,
              stillWanted: (section) => section !== undefined,
            })),
            writeMode: group.some(({ writeMode }) => writeMode === "in-place") ? "in-place" : "atomic",
          },
          { clock: world, deadline, uid: world.uid, umask: world.umask },
        );
        warnAbout(view, outcome.warnings, reporter);
        for (const removal of group) {
          const result = outcome.results.get(removal.profile);
          if (result) results.set(removal, result);
        }
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        for (const removal of group) results.set(removal, { kind: "failed", failure: error });
      }
    }
    return planned.map((removal) => settle(removal, results.get(removal)));
  } finally {
    deadline.clear();
  }
}

function settle(removal: Removal, result: EditResult | undefined): Removal {
  switch (result?.kind) {
    case undefined:
      return removal;
    case "failed":
      return { ...removal, outcome: "failed", failure: result.failure };
    case "skipped":
      return { ...removal, outcome: "absent" };
    case "written":
      return { ...removal, outcome: "removed" };
  }
}

function warnAbout(view: CredentialsView, warnings: readonly FileWarning[], reporter: Reporter): void {
  for (const warning of warnings) reporter.warning(`${view.path}:${warning.line}: ${warning.message}`);
}

function remindOfConfig(removals: readonly Removal[], reporter: Reporter): void {
  for (const { profile, configured, outcome } of removals) {
    if (configured && outcome === "removed")
      reporter.warning(
        `'${profile}' is still configured: the next refresh will write it again`,
        `remove it from the config: ${configured.origin}`,
      );
  }
}

function toJson(removals: readonly Removal[], dryRun: boolean): unknown {
  const profiles = removals.map(({ profile, outcome, view, failure }) => ({
    profile,
    outcome,
    credentials_file: view.path,
    error: failure ? { code: failure.code, message: failure.message, hint: failure.hint ?? null } : null,
  }));
  return dryRun ? { dry_run: true, profiles } : { profiles };
}
