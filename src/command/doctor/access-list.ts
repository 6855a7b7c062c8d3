import type { Stats } from "node:fs";
import type { DoctorContext } from "./context.ts";
import { finding, type Finding } from "./finding.ts";
import { askTool } from "./tool.ts";

/**
 * An access control list belongs to the file and not to its name: a file that is renamed over it has none, and Node.js has
 * no call that copies one. Its mask stands where the group's rights are (acl(5), "correspondence between ACL entries and
 * file permission bits"), so one that lets anybody in shows there, and those rights become the group's own.
 */
export async function accessListFindings(
  path: string,
  { mode }: Stats,
  context: DoctorContext,
): Promise<readonly Finding[]> {
  if ((mode & 0o070) === 0) return [];
  // Prints nothing for a file that has no more than owner, group and others. Not installed: nothing is known.
  const list = await askTool("getfacl", ["--skip-base", "--omit-header", "--absolute-names", "--", path], context);
  if (list.kind !== "answer" || list.text.trim() === "") return [];
  return [
    finding(
      "permissions",
      "warning",
      `${path} has an access control list, which is gone with the next refresh: whom it lets in loses the file, and its group gets what the list's mask allows`,
      { hint: "set write_mode = in-place, or let them in by owner, group and mode: setfacl -b, chgrp, chmod" },
    ),
  ];
}
