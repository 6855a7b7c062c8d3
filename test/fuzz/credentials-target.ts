import assert from "node:assert/strict";
import type { Failure } from "../../src/base/failure.ts";
import { Secret } from "../../src/base/secret.ts";
import { type CredentialsDocument, parseDocument } from "../../src/credentials-file/document.ts";
import { isManagedKey, MANAGED_KEYS, type ManagedKey } from "../../src/credentials-file/managed.ts";
import { ownershipOf } from "../../src/credentials-file/ownership.ts";
import { readerProblems } from "../../src/credentials-file/reader-models/problems.ts";
import { acceptEdits, composeApart, composeFile } from "../../src/credentials-file/accept-edits.ts";
import type { Edit, EditResult, ManagedKeys, PendingEdit } from "../../src/credentials-file/edit.ts";
import { refusalOf } from "../../src/credentials-file/writability.ts";
import type { Chance } from "./chance.ts";
import { credentialsBytes, NAMES } from "./credentials-grammar.ts";
import { foreignChange } from "./foreign-bytes.ts";
import type { FuzzTarget } from "./fuzz.ts";
import type { PythonFound, PythonReaders } from "./python-readers.ts";
import { type Found, nameForSmithy, readWithSmithy } from "./smithy-reader.ts";

/**
 * Credentials files: nothing crashes, no byte of others changes, what rolefresh reads and writes is what the SDK's loader
 * reads, and botocore and boto2 as well where `python` is given (for one document in `pythonEvery`).
 */
export function credentialsTarget(
  python: PythonReaders | undefined,
  pythonEvery: number,
): FuzzTarget<Buffer> & { readonly counts: Record<string, number> } {
  const counts = { written: 0, refused: 0, values: 0, comparedByPython: 0 };
  const later: Promise<void>[] = [];
  let error: Error | undefined;
  const settle = async (): Promise<void> => {
    await Promise.all(later.splice(0));
    const found = error;
    error = undefined;
    if (found) throw found;
  };
  return {
    name: "credentials files",
    make: credentialsBytes,
    show: (bytes) => bytes.toString("base64"),
    counts,
    settle,
    async check(bytes, chance) {
      const document = read(bytes, chance);
      const before = await readWithSmithy(bytes);
      counts.values += compareReading(document, before, "smithy");
      const edits = editsFor(document, chance);
      const after = await apply(document, edits);
      if (after === undefined) counts.refused++;
      else {
        counts.written++;
        await checkWritten(bytes, after, edits, before);
      }
      if (!python || !chance.oneIn(pythonEvery)) return;
      counts.comparedByPython++;
      later.push(
        compareWithPython(document, after, edits, python).catch((found: unknown) => {
          error ??= new Error(`${bytes.toString("base64")}: ${found instanceof Error ? found.message : String(found)}`);
        }),
      );
      if (later.length > 500) await settle();
    },
  };
}

/** Everything that a reader of the program asks a document for. */
function read(bytes: Buffer, chance: Chance): CredentialsDocument {
  const document = parseDocument({ file: { path: "credentials" }, bytes });
  for (const name of document.names) ownershipOf(document.profile(name));
  refusalOf(document, chance.pick(NAMES));
  assert.ok(document.warnings.length <= 20);
  return document;
}

/** What we report for a profile, every reader that finds the profile must read as well. */
function compareReading(document: CredentialsDocument, found: Found | undefined, reader: string): number {
  let compared = 0;
  if (!found) return 0;
  for (const name of document.names) {
    const known = nameFor(reader, name);
    if (known === undefined) continue;
    const section = document.profile(name);
    const own: [ManagedKey, string | undefined][] = [
      ["aws_access_key_id", section?.accessKeyId],
      ["aws_secret_access_key", section?.secretAccessKey?.reveal()],
      ["aws_session_token", section?.sessionToken?.reveal()],
      ["aws_security_token", section?.securityToken?.reveal()],
      ["x_principal_arn", section?.principalArn],
      ["manager", section?.manager],
    ];
    for (const [key, value] of own) {
      if (value === undefined) continue;
      compared++;
      assert.equal(found[known]?.[key], value, `${reader} and rolefresh read ${key} of [${name}] differently`);
    }
  }
  return compared;
}

function nameFor(reader: string, name: string): string | undefined {
  if (reader === "smithy") return nameForSmithy(name);
  // No section of its own to Python's readers: its keys show in every other one.
  return name === "DEFAULT" ? undefined : name;
}

interface NamedEdit {
  readonly profile: string;
  readonly edit: Edit;
}

function editsFor(document: CredentialsDocument, chance: Chance): readonly NamedEdit[] {
  const names = new Set<string>();
  for (let n = 1 + chance.below(3); n > 0; n--) {
    const from = chance.oneIn(3) && document.names.length > 0 ? document.names : NAMES;
    names.add(chance.pick(from));
  }
  return [...names].map((profile) => ({
    profile,
    edit: chance.oneIn(4) ? { kind: "remove" } : { kind: "write", keys: keysFor(chance) },
  }));
}

const PRINTABLE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/+=";

function keysFor(chance: Chance): ManagedKeys {
  const text = (length: number) => {
    const at = chance.below(PRINTABLE.length);
    return (PRINTABLE.slice(at) + PRINTABLE.repeat(Math.ceil(length / PRINTABLE.length))).slice(0, length);
  };
  return {
    accessKeyId: `ASIA${text(16)}`,
    secretAccessKey: new Secret(text(40)),
    sessionToken: new Secret(text(chance.oneIn(50) ? 8000 : 60)),
    principalArn: chance.oneIn(3) ? undefined : "arn:aws:sts::123412341234:assumed-role/R/a=b,c.d@e-f",
    expiresAt: chance.oneIn(3) ? undefined : new Date(1_800_000_000_000),
  };
}

/** @returns undefined when an edit was refused. */
async function apply(document: CredentialsDocument, edits: readonly NamedEdit[]): Promise<Buffer | undefined> {
  const results = new Map<string, EditResult>();
  const pending: readonly PendingEdit[] = edits.map((one) => ({ ...one, overwrite: true, stillWanted: () => true }));
  const chosen = acceptEdits(document, pending, results);
  const together = composeFile(document, chosen);
  const isRefused = !together.passesGuard();
  const { content, accepted } = isRefused
    ? await composeApart(document, chosen, results, async () => undefined)
    : together;
  for (const { profile } of edits) {
    const isAccepted = accepted.some((one) => one.profile === profile);
    const result = results.get(profile);
    assert.equal(result !== undefined, !isAccepted, `an edit of ${profile} has no result`);
    if (result?.kind === "failed") assertNotByGuard(document, result.failure);
  }
  if (accepted.length < edits.length) return undefined;
  return content ?? document.bytes ?? Buffer.alloc(0);
}

/** Where every reader reads the file, a refusal by the guard is a bug of the editor, which has no line to name for it. */
function assertNotByGuard({ bytes, warnings, problem }: CredentialsDocument, { message }: Failure): void {
  if (warnings.length > 0 || problem || readerProblems(bytes?.toString() ?? "", true).length > 0) return;
  assert.ok(
    !message.startsWith("cannot edit "),
    `the guard refuses an edit of a file that all readers read: ${message}`,
  );
}

async function checkWritten(
  before: Buffer,
  after: Buffer,
  edits: readonly NamedEdit[],
  was: Found | undefined,
): Promise<void> {
  const profiles = edits.map(({ profile }) => profile);
  assert.equal(foreignChange(before, after, profiles), undefined, "a byte of others changed");
  const document = parseDocument({ file: { path: "credentials" }, bytes: after });
  for (const { profile, edit } of edits)
    if (edit.kind === "write") assert.ok(document.profile(profile)?.isComplete, `[${profile}] is not read back`);
  const again = await apply(document, edits);
  // A removal can leave a file with content and no section, which every later edit refuses.
  if (again === undefined && document.names.length === 0 && edits.every(({ edit }) => edit.kind === "remove")) return;
  assert.equal(again, after, "the second edit changes something");
  compareFound(was, await readWithSmithy(after), edits, "smithy");
}

async function compareWithPython(
  document: CredentialsDocument,
  after: Buffer | undefined,
  edits: readonly NamedEdit[],
  python: PythonReaders,
): Promise<void> {
  const bytes = document.bytes ?? Buffer.alloc(0);
  const none: Promise<PythonFound> = Promise.resolve({});
  const [was, is] = await Promise.all([python.read(bytes), after ? python.read(after) : none]);
  for (const library of Object.keys(python.versions)) {
    const found = was[library] ?? undefined;
    compareReading(document, found, library);
    const warned = document.problem !== undefined || document.warnings.some(({ readers }) => readers.includes(library));
    assert.equal(
      document.problem === undefined ? found === undefined : warned,
      warned,
      `the warnings say ${warned ? "that" : "nothing of what"} ${library} cannot read the file`,
    );
    // What stands in [DEFAULT] shows in the new sections too, as its owner will have meant it.
    if (after && found && !document.names.includes("DEFAULT"))
      compareFound(found, is[library] ?? undefined, edits, library);
  }
}

/** After an edit a reader finds exactly the new keys, and everything of others as before. */
function compareFound(
  was: Found | undefined,
  is: Found | undefined,
  edits: readonly NamedEdit[],
  reader: string,
): void {
  if (!was) return;
  assert.ok(is, `${reader} cannot read the file any more`);
  const edited = new Map(edits.map(({ profile, edit }) => [nameFor(reader, profile), edit]));
  const foreign = (found: Found) =>
    JSON.stringify(
      Object.entries(found).flatMap(([name, keys]) =>
        Object.entries(keys)
          .filter(([key]) => !edited.has(name) || !isManaged(key))
          .map(([key, value]) => [name, key, value]),
      ),
    );
  assert.equal(foreign(is), foreign(was), `${reader} sees a change in what belongs to others`);
  for (const [name, edit] of edited) {
    if (name === undefined) continue;
    const expected = edit.kind === "write" ? valuesOf(edit.keys) : {};
    for (const key of MANAGED_KEYS) assert.equal(is[name]?.[key], expected[key], `${reader} reads ${key} of [${name}]`);
  }
}

/** With a `:` behind it, it is the same key to Python's readers, and a key of another name to JavaScript's. */
function isManaged(key: string): boolean {
  return isManagedKey((key.split(":", 1)[0] ?? "").trim().toLowerCase());
}

function valuesOf(keys: ManagedKeys): Readonly<Record<string, string>> {
  const token = keys.sessionToken.reveal();
  return {
    aws_access_key_id: keys.accessKeyId,
    aws_secret_access_key: keys.secretAccessKey.reveal(),
    aws_session_token: token,
    aws_security_token: token,
    ...(keys.principalArn === undefined ? {} : { x_principal_arn: keys.principalArn }),
    ...(keys.expiresAt ? { x_security_token_expires: "2027-01-15T08:00:00Z" } : {}),
    manager: "rolefresh",
  };
}
