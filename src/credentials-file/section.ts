import { parseInstant } from "../base/duration.ts";
import { Secret } from "../base/secret.ts";
import { type Line, pythonStrip, separatorOf, withoutComment } from "./lines.ts";
import { MANAGER, type ManagedKey } from "./managed.ts";

/** One `key = value` of a section, as strict readers see it. */
export interface Entry {
  /** In lower case: keys are case-insensitive to Python's readers. */
  readonly key: string;
  readonly line: Line;
  /** The value as written on this line, comments and quotes included. */
  readonly value: Secret;
  /** The lines that continue the value. */
  readonly continuations: readonly Line[];
  /** The value where all readers agree on it; undefined where they do not, and for an empty value. */
  readonly agreed: Secret | undefined;
  /** The key above, with an empty value, under which JavaScript's readers file this key (`s3 =`); undefined for none. */
  readonly nestedUnder: string | undefined;
}

/** A profile's section as it was read. A value on which the readers disagree is undefined, so that it is written anew. */
export interface ProfileSection {
  readonly name: string;
  /** Of the header, 1-based. */
  readonly line: number;
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: Secret | undefined;
  readonly sessionToken: Secret | undefined;
  readonly securityToken: Secret | undefined;
  readonly principalArn: string | undefined;
  readonly expiresAt: Date | undefined;
  readonly manager: string | undefined;
  /** It has everything that rolefresh writes: the keys, the same token twice, and `manager = rolefresh`. */
  readonly isComplete: boolean;
  /** A line in it is neither an option nor a comment, so that Python's readers refuse the whole file. */
  readonly hasStrayLine: boolean;
  /** Every option in the order of the file, managed ones included. */
  readonly entries: readonly Entry[];
}

/** The options of a section, from its lines. */
export function entriesOf(lines: readonly Line[]): readonly Entry[] {
  const entries: (Entry & { readonly continuations: Line[] })[] = [];
  let nestedUnder: string | undefined;
  for (const line of lines) {
    if (line.kind === "blank" || line.kind === "comment") continue;
    // smithy's `parseIni`: an empty value opens a block that the next key at column 0 ends.
    const lenient = lenientPair(line.text);
    const isAtMargin = line.text.trimStart() === line.text;
    if (lenient && lenient.value !== "" && isAtMargin) nestedUnder = undefined;
    if (line.kind === "continuation") entries.at(-1)?.continuations.push(line);
    if (line.kind === "option") {
      const above = isAtMargin ? undefined : nestedUnder;
      entries.push({ ...readEntry(line, above, lenient), continuations: [], nestedUnder: above });
    }
    if (lenient?.value === "") nestedUnder = lenient.key;
  }
  return entries.map((entry) => (entry.continuations.length === 0 ? entry : { ...entry, agreed: undefined }));
}

function readEntry(
  line: Line,
  nestedUnder: string | undefined,
  lenient: { readonly key: string; readonly value: string } | undefined,
): Pick<Entry, "key" | "line" | "value" | "agreed"> {
  const separator = separatorOf(line.text);
  const rawKey = pythonStrip(line.text.slice(0, separator));
  const key = rawKey.toLowerCase();
  const value = pythonStrip(line.text.slice(separator + 1));
  // Go, PHP and npm's `ini` take quotes off; the others read them as part of the value.
  const isAgreed =
    value !== "" &&
    rawKey === key &&
    nestedUnder === undefined &&
    lenient?.key === key &&
    lenient.value === value &&
    !/^["'`]/.test(value);
  const secret = new Secret(value);
  return { key, line, value: secret, agreed: isAgreed ? secret : undefined };
}

/** A line as JavaScript's readers split it: at the first `=`, which may not be its first character. */
function lenientPair(text: string): { readonly key: string; readonly value: string } | undefined {
  const cut = withoutComment(text);
  const equals = cut.indexOf("=");
  return equals > 0 ? { key: cut.slice(0, equals).trim(), value: cut.slice(equals + 1).trim() } : undefined;
}

/**
 * Makes the section of a profile.
 *
 * @param isAmbiguous the readers disagree about where the section is, so no value of it is known
 */
export function toSection(
  name: string,
  header: Line,
  { lines, entries }: { readonly lines: readonly Line[]; readonly entries: readonly Entry[] },
  isAmbiguous: boolean,
): ProfileSection {
  // What continues a value, or is another key, for Python's readers may be this key for JavaScript's: an indented
  // `key = value`, or one behind a byte order mark.
  const elsewhere = new Set<string>();
  for (const entry of entries) {
    // Of an agreed value all readers know the key.
    for (const line of entry.agreed ? entry.continuations : [entry.line, ...entry.continuations]) {
      const key = lenientPair(line.text)?.key;
      if (key !== undefined && (line !== entry.line || key !== entry.key)) elsewhere.add(key);
    }
  }
  const valueOf = (key: ManagedKey): Secret | undefined => {
    const [first, second] = entries.filter((entry) => entry.key === key);
    return isAmbiguous || second || elsewhere.has(key) ? undefined : first?.agreed;
  };
  const accessKeyId = valueOf("aws_access_key_id")?.reveal();
  const secretAccessKey = valueOf("aws_secret_access_key");
  const sessionToken = valueOf("aws_session_token");
  const securityToken = valueOf("aws_security_token");
  const manager = valueOf("manager")?.reveal();
  const hasKeys = accessKeyId !== undefined && secretAccessKey !== undefined;
  return {
    name,
    line: header.number,
    accessKeyId,
    secretAccessKey,
    sessionToken,
    securityToken,
    principalArn: valueOf("x_principal_arn")?.reveal(),
    expiresAt: parseInstant(valueOf("x_security_token_expires")?.reveal() ?? ""),
    manager,
    isComplete:
      hasKeys && manager === MANAGER && sessionToken !== undefined && securityToken?.equals(sessionToken) === true,
    entries,
    hasStrayLine: lines.some(({ kind }) => kind === "stray"),
  };
}
