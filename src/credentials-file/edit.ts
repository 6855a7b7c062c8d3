import { renderInstant } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import { profileNameProblem } from "../base/profile-name.ts";
import type { Secret } from "../base/secret.ts";
import { MANAGER, type ManagedKey } from "./managed.ts";
import type { ProfileSection } from "./section.ts";

/** What a section is to hold. */
export interface ManagedKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly sessionToken: Secret;
  /** Left out of the file when undefined. */
  readonly principalArn: string | undefined;
  /** Left out of the file when undefined. */
  readonly expiresAt: Date | undefined;
}

/** An edit of a profile's section. */
export type Edit =
  | { readonly kind: "write"; readonly keys: ManagedKeys }
  /** Removes the managed keys, and the section too when it has no other keys; comments stay. */
  | { readonly kind: "remove" };

/** One profile's part of an update. */
export interface PendingEdit {
  readonly profile: string;
  readonly edit: Edit;
  /** Overwrite a section that rolefresh did not write, after a backup. */
  readonly overwrite: boolean;
  /** Called under the lock with what the file holds now; false when another process was faster. */
  readonly stillWanted: (section: ProfileSection | undefined) => boolean;
}

/** The result of one profile's edit. */
export type EditResult =
  /** The file holds it; `changed` is false when it did before. */
  | { readonly kind: "written"; readonly changed: boolean }
  /** No longer wanted; `section` is what the file holds. */
  | { readonly kind: "skipped"; readonly section: ProfileSection | undefined }
  | { readonly kind: "failed"; readonly failure: Failure };

/**
 * The managed keys that a section holds after an edit, in the order of a new section. Absent keys are removed.
 *
 * @throws Failure STS_INVALID_RESPONSE for a value that not every reader would read back as it is written: empty, with a blank,
 * control or non-ASCII character, or beginning with a quote (Go and PHP take quotes off) or a comment sign. STS
 * issues no such value, and a line break in a token would write keys of its own.
 */
export function managedValues(profile: string, edit: Edit): ReadonlyMap<ManagedKey, string> {
  if (edit.kind === "remove") return new Map();
  const { accessKeyId, secretAccessKey, sessionToken, principalArn, expiresAt } = edit.keys;
  const token = sessionToken.reveal();
  const values = new Map<ManagedKey, string>([
    ["aws_access_key_id", accessKeyId],
    ["aws_secret_access_key", secretAccessKey.reveal()],
    ["aws_session_token", token],
    ["aws_security_token", token],
  ]);
  if (principalArn !== undefined) values.set("x_principal_arn", principalArn);
  if (expiresAt) values.set("x_security_token_expires", renderInstant(expiresAt));
  values.set("manager", MANAGER);
  for (const [key, value] of values) {
    if (/^[!-~]+$/.test(value) && !/^["'`#;]/.test(value)) continue;
    throw new Failure(
      "STS_INVALID_RESPONSE",
      `the ${key} for profile '${profile}' is not a value that a credentials file can hold`,
      {
        hint: "check the STS endpoint's response: the value is empty or has blanks, control characters or quotes",
      },
    );
  }
  return values;
}

/**
 * Checks the name of a section that may have to be added (GRAMMAR.md 9), once more after the config: no bad name may
 * reach the file.
 *
 * @throws Failure CONFIG_INVALID
 */
export function checkSectionName(name: string): void {
  const problem = profileNameProblem(name);
  if (problem === undefined) return;
  throw new Failure("CONFIG_INVALID", `invalid profile name ${JSON.stringify(name)}: ${problem}`, {
    hint: "use letters, digits and - / . % @ _ : +, which all tools read",
  });
}
