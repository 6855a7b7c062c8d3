import type { Chance } from "./chance.ts";
import { MANAGED_KEYS } from "../../src/credentials-file/managed.ts";

/** The profiles of a config, and the credentials file that it is refreshed into. */
export interface EverydayCase {
  /** One to four, in the config's order. */
  readonly profiles: readonly string[];
  readonly file: Buffer;
}

const PROFILES: readonly string[] = ["default", "billing", "audit.prod", "team/backup", "ci-deploy", "x@y_z+1"];
const OTHERS: readonly string[] = ["personal", "work", "legacy.example", "sandbox-2"];
const SETTINGS = [
  "region = eu-west-1",
  "output=json",
  "cli_pager =",
  "aws_account_id = 123456789012",
  "x = a=b:c",
  "note = two words",
  "cli_history = enabled",
] as const;
const BLOCKS = [
  ["s3 =", "  max_concurrent_requests = 20", "  addressing_style = path"],
  ["s3 =", "    max_queue_size = 10000"],
  ["s3=", "\tuse_accelerate_endpoint = true", "", "\tsignature_version = s3v4"],
] as const;
const COMMENTS = ["# mine", "#", "# [old]", "# aws_access_key_id = AKIAX", "#region = x"] as const;

/**
 * A file that every reader of GRAMMAR.md reads, as people and tools leave it: sections and keys once, `key = value` at
 * column 0, `#` comments at column 0, nested blocks below a key, one kind of line end.
 */
export function everydayCase(chance: Chance): EverydayCase {
  const profiles = pickSome(chance, PROFILES, 1 + chance.below(4));
  const inFile = [...profiles.filter(() => chance.oneIn(2)), ...pickSome(chance, OTHERS, chance.below(4))];
  const lines = lead(chance);
  for (const name of shuffled(chance, inFile)) {
    lines.push(`[${name}]`, ...body(chance, profiles.includes(name)), ...gap(chance));
  }
  const eol = chance.oneIn(3) ? "\r\n" : "\n";
  const text = lines.map((line) => line + eol).join("");
  return { profiles, file: Buffer.from(chance.oneIn(3) ? text.replace(/\r?\n$/, "") : text) };
}

function lead(chance: Chance): string[] {
  return chance.oneIn(3) ? [chance.pick(COMMENTS), ...gap(chance)] : [];
}

/** Between sections: nothing, blank lines, and comments that belong to the next one. */
function gap(chance: Chance): readonly string[] {
  return chance.many(3, () => (chance.oneIn(3) ? chance.pick(COMMENTS) : chance.pick(["", "", "", " "])));
}

function body(chance: Chance, isOurs: boolean): readonly string[] {
  if (chance.oneIn(6)) return [];
  const parts: (readonly string[])[] = [
    ...pickSome(chance, SETTINGS, chance.below(3)).map((line) => [line]),
    ...(chance.oneIn(3) ? [chance.pick(BLOCKS)] : []),
    ...(chance.oneIn(3) ? [[chance.pick([...COMMENTS, ""])]] : []),
    ...(isOurs ? ourKeys(chance) : theirKeys(chance)).map((line) => [line]),
  ];
  return shuffled(chance, parts).flat();
}

const KEYS: Readonly<Record<(typeof MANAGED_KEYS)[number], string>> = {
  aws_access_key_id: "ASIAOLDOLDOLDOLDOLDO",
  aws_secret_access_key: "old/secret+key=",
  aws_session_token: "old/token==",
  aws_security_token: "old/token==",
  x_principal_arn: "arn:aws:sts::123412341234:assumed-role/R/old",
  x_security_token_expires: "2020-01-01T00:00:00Z",
  manager: "rolefresh",
};

/** What an earlier refresh, another tool or a person left in a section of ours: everything, some of it, or nothing. */
function ourKeys(chance: Chance): readonly string[] {
  const keys = chance.weighted<readonly (typeof MANAGED_KEYS)[number][]>([
    [3, () => MANAGED_KEYS],
    [2, () => MANAGED_KEYS.slice(0, 3)],
    [2, () => []],
    [1, () => ["aws_access_key_id", "aws_session_token", ...MANAGED_KEYS.filter(() => chance.oneIn(2))]],
  ]);
  return [...new Set(keys)].map((key) => `${key}${chance.oneIn(4) ? "=" : " = "}${KEYS[key]}`);
}

function theirKeys(chance: Chance): readonly string[] {
  const id = `aws_access_key_id = ${chance.pick(["AKIATHEIRS", "ASIATHEIRS"])}`;
  return chance.oneIn(4) ? [] : [id, "aws_secret_access_key = their/secret+key="];
}

function pickSome<T>(chance: Chance, list: readonly T[], count: number): readonly T[] {
  return shuffled(chance, list).slice(0, count);
}

function shuffled<T>(chance: Chance, list: readonly T[]): readonly T[] {
  return list
    .map((item) => ({ item, at: chance.next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
