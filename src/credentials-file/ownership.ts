import { Failure } from "../base/failure.ts";
import type { Edit } from "./edit.ts";
import { isManagedKey, MANAGER } from "./managed.ts";
import type { Entry, ProfileSection } from "./section.ts";

/** Who owns a section (DESIGN, "What is written", rule 4). */
export type Ownership =
  | { readonly kind: "ours" }
  /** No section, no keys, or temporary keys without a `manager`: people paste STS responses by hand. */
  | { readonly kind: "free" }
  | Foreign;

/** What makes a section foreign, and where. */
interface Foreign {
  readonly kind: "foreign";
  /** Shows no key's value. */
  readonly reason: string;
  /** 1-based. */
  readonly line: number;
  /** It was overwritten with `overwrite` before: its keys are ours, although what made it foreign is still there. */
  readonly isTakenOver: boolean;
}

/** Keys that tell a reader to get credentials in another way: such a section is configuration, not a place for keys. */
const CONFIGURATION = new Set(["role_arn", "source_profile", "credential_process", "credential_source", "mfa_serial"]);

/**
 * Who owns a section. Every copy of a key counts, in any case and also where readers disagree about its value: a
 * long-lived key must not be lost because a comment follows it.
 */
export function ownershipOf(section: ProfileSection | undefined): Ownership {
  if (!section) return { kind: "free" };
  const { entries } = section;
  const configuration = entries.find(({ key }) => CONFIGURATION.has(key) || key.startsWith("sso_"));
  if (configuration)
    return foreign(`it holds ${configuration.key} that rolefresh did not write`, configuration, holdsOurKeys(section));
  const manager = entries.find(
    (entry) => entry.key === "manager" && stripped(entry) !== "" && stripped(entry) !== MANAGER,
  );
  if (manager) return foreign(`it is managed by '${printable(stripped(manager))}'`, manager);
  const ids = entries.filter((entry) => entry.key === "aws_access_key_id" && stripped(entry) !== "");
  const longLived = ids.find((entry) => stripped(entry).toUpperCase().startsWith("AKIA"));
  if (longLived) return foreign("it holds a long-lived access key that rolefresh did not write", longLived);
  const isOurs = entries.some((entry) => entry.key === "manager" && stripped(entry) === MANAGER);
  const hasToken = entries.some(
    ({ key, value }) => (key === "aws_session_token" || key === "aws_security_token") && value.length > 0,
  );
  const secret = entries.find(({ key, value }) => key === "aws_secret_access_key" && value.length > 0);
  const [id] = ids;
  // Ours with the token line deleted stays ours: an ASIA key is worth nothing without its token.
  const isTemporary = hasToken || (isOurs && ids.every((entry) => stripped(entry).startsWith("ASIA")));
  if (!isTemporary && id) return foreign(withoutToken(id), id);
  if (!isTemporary && secret) return foreign("it holds a secret access key without a session token", secret);
  return { kind: isOurs ? "ours" : "free" };
}

/** What in a section keeps an edit from being made without `overwrite`. */
export function foreignTo(kind: Edit["kind"], section: ProfileSection | undefined): Foreign | undefined {
  const ownership = ownershipOf(section);
  if (ownership.kind === "foreign") return ownership;
  // Temporary keys without a `manager` may be replaced by fresher ones, but they are not ours to remove.
  const theirs = section?.entries.find(({ key }) => isManagedKey(key));
  return kind === "remove" && ownership.kind === "free" && theirs ? foreign(UNWRITTEN, theirs) : undefined;
}

/** The reason for a section that nothing else can be said of. */
export const UNWRITTEN = "rolefresh did not write it";

/** SECTION_FOREIGN, the only wording of it. */
export function foreignFailure(
  kind: Edit["kind"],
  profile: string,
  path: string,
  { reason, line }: Pick<Foreign, "reason" | "line">,
): Failure {
  return kind === "remove"
    ? new Failure("SECTION_FOREIGN", `refusing to remove [${profile}]: ${reason} (${path}:${line})`, {
        hint: "remove it by hand: rolefresh removes only what it wrote (manager = rolefresh)",
      })
    : new Failure("SECTION_FOREIGN", `refusing to overwrite [${profile}]: ${reason} (${path}:${line})`, {
        hint: `choose another profile name, or set overwrite = true for [${profile}] (a backup is kept)`,
      });
}

/** An access key of a session is not long-lived, even without its token. */
function withoutToken(id: Entry): string {
  return stripped(id).toUpperCase().startsWith("ASIA")
    ? "it holds a temporary access key without its session token"
    : "it holds an access key without a session token";
}

function foreign(reason: string, entry: Entry, isTakenOver = false): Foreign {
  return { kind: "foreign", reason, line: entry.line.number, isTakenOver };
}

function holdsOurKeys({ isComplete, accessKeyId }: ProfileSection): boolean {
  return isComplete && accessKeyId?.startsWith("ASIA") === true;
}

/** A value without the comment and the quotes that some readers take off. */
function stripped(entry: Entry): string {
  const cut = entry.value.reveal().split(/\s[;#]/, 1)[0] ?? "";
  return cut
    .trim()
    .replace(/^(["'`])(.*)\1$/, "$2")
    .trim();
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 40);
}
