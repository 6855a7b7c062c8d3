import { MANAGER } from "./managed.ts";
import type { Entry, ProfileSection } from "./section.ts";

/** Whose a section is (DESIGN, "What is written", rule 4). */
export type Ownership =
  | { readonly kind: "ours" }
  /** No section, no keys, or temporary keys that nobody manages: people paste answers of STS by hand. */
  | { readonly kind: "free" }
  | {
      readonly kind: "foreign";
      readonly reason: string;
      readonly line: number;
      /** It was overwritten once with leave to do so: its keys are ours, although what made it foreign is still there. */
      readonly isTakenOver: boolean;
    };

/** Keys that tell a reader to get credentials in another way: such a section is configuration, not a place for keys. */
const CONFIGURATION = new Set(["role_arn", "source_profile", "credential_process", "credential_source", "mfa_serial"]);

/**
 * Tells whose a section is. Every copy of a key counts, in any case and also where readers disagree about its value: a
 * long-lived key must not be lost because a comment stands behind it. No key's value is ever part of the reason.
 */
export function ownershipOf(section: ProfileSection | undefined): Ownership {
  if (!section) return { kind: "free" };
  const { entries } = section;
  const configuration = entries.find(({ key }) => CONFIGURATION.has(key) || key.startsWith("sso_"));
  if (configuration) return foreign(`it holds ${configuration.key}`, configuration, holdsOurKeys(section));
  const manager = entries.find((entry) => entry.key === "manager" && bare(entry) !== "" && bare(entry) !== MANAGER);
  if (manager) return foreign(`it is managed by '${printable(bare(manager))}'`, manager);
  const ids = entries.filter((entry) => entry.key === "aws_access_key_id" && bare(entry) !== "");
  const longLived = ids.find((entry) => bare(entry).toUpperCase().startsWith("AKIA"));
  if (longLived) return foreign("it holds a long-lived access key", longLived);
  const isOurs = entries.some((entry) => entry.key === "manager" && bare(entry) === MANAGER);
  const hasToken = entries.some(
    ({ key, value }) => (key === "aws_session_token" || key === "aws_security_token") && value.length > 0,
  );
  const secret = entries.find(({ key, value }) => key === "aws_secret_access_key" && value.length > 0);
  const [id] = ids;
  // Ours with the token line deleted stays ours: an ASIA key is worth nothing without its token.
  const isTemporary = hasToken || (isOurs && ids.every((entry) => bare(entry).startsWith("ASIA")));
  if (!isTemporary && id) return foreign(withoutToken(id), id);
  if (!isTemporary && secret) return foreign("it holds a secret access key without a session token", secret);
  return { kind: isOurs ? "ours" : "free" };
}

/** A key that AWS gave for a session is no long-lived one, also where its token is lost. */
function withoutToken(id: Entry): string {
  return bare(id).toUpperCase().startsWith("ASIA")
    ? "it holds a temporary access key without its session token"
    : "it holds an access key without a session token, so a long-lived one";
}

function foreign(reason: string, entry: Entry, isTakenOver = false): Ownership {
  return { kind: "foreign", reason, line: entry.line.number, isTakenOver };
}

function holdsOurKeys({ isComplete, accessKeyId }: ProfileSection): boolean {
  return isComplete && accessKeyId?.startsWith("ASIA") === true;
}

/** A value without the comment and the quotes that some readers take off. */
function bare(entry: Entry): string {
  const cut = entry.value.reveal().split(/\s[;#]/, 1)[0] ?? "";
  return cut
    .trim()
    .replace(/^(["'`])(.*)\1$/, "$2")
    .trim();
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 40);
}
