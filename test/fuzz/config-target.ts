import assert from "node:assert/strict";
import { isAbsolute } from "node:path";
import { oneLine } from "../../src/output/report.ts";
import { profileNameProblem } from "../../src/base/profile-name.ts";
import { CONFIG_KEYS } from "../../src/config/keys.ts";
import { ConfigIssues } from "../../src/config/config-issues.ts";
import { configFromSource } from "../../src/config/read.ts";
import type { Chance } from "./chance.ts";
import type { FuzzTarget } from "./fuzz.ts";
import { mutate } from "./mutate.ts";
import { madeOrRefused } from "./refusal.ts";

const GOOD_NAMES = ["default", "prod.admin", "a b", "x@y/z", "pr\u00e9"];
const NAMES = [...GOOD_NAMES, "*", "__proto__", "constructor", "DEFAULT", "a]b", " a", "a;b"];
const VALUES = [
  "arn:aws:iam::123412341234:role/R",
  "arn:aws-cn:iam::123412341234:role/path/to/R",
  "arn:aws:sts::123412341234:assumed-role/R/s",
  "gcp-metadata",
  "file",
  "env",
  "command",
  "saml",
  "session",
  "default",
  "3600",
  "-1",
  "1e9",
  "25m",
  "99999h",
  "true",
  "yes",
  "atomic",
  "~/x",
  "/tmp/token",
  "../x",
  "https://sts.example:8443/x",
  "http://127.0.0.1:4566",
  "http://sts.example",
  "https://u:p@h/",
  "a=b, c=d",
  "arn:aws:iam::aws:policy/ReadOnlyAccess",
  '"quoted; value"',
  "'x",
  "a;b",
  "a # b",
  "{profile}.{hostname}",
  "{nothing}",
  "\u0007",
  "\u202e",
  "${HOME}",
  "%s",
  "x".repeat(3000),
];

/** What a profile that can be used looks like; the others are made from it. */
const GOOD: readonly (readonly [string, string])[] = [
  ["role_arn", "arn:aws:iam::123412341234:role/R"],
  ["identity", "gcp-metadata"],
  ["audience", "gcp"],
];

function configText(chance: Chance): string {
  const lines: string[] = [];
  const names = new Set(chance.many(4, () => chance.pick(chance.oneIn(12) ? NAMES : GOOD_NAMES)));
  for (const name of chance.oneIn(2) ? names : ["default", ...names]) {
    lines.push(`${chance.oneIn(20) ? " " : ""}[${name}]${chance.oneIn(20) ? " # x" : ""}`);
    const entries = new Map(chance.oneIn(12) ? [] : GOOD);
    for (const [key, value] of chance.many(chance.pick([0, 0, 1, 6]), () => entry(chance))) entries.set(key, value);
    for (const [key, value] of entries)
      lines.push(`${key}${chance.oneIn(60) ? " : " : chance.pick([" = ", "="])}${value}`);
    if (chance.oneIn(25)) lines.push(chance.pick(["", "junk", "key[] = x", "= x", "; c", "[unclosed", "[a][b]"]));
  }
  return lines.join(chance.oneIn(5) ? "\r\n" : "\n");
}

function entry(chance: Chance): readonly [string, string] {
  const key = chance.oneIn(20)
    ? chance.pick(["rolearn", "__proto__", "Region", "x", ""])
    : chance.pick(CONFIG_KEYS).name;
  return [key, chance.pick(VALUES)];
}

/** Configurations: whatever is in them, there is a checked configuration or a list of issues, each with its line. */
export function configTarget(): FuzzTarget<string> {
  const counts = { accepted: 0, refused: 0, issues: 0 };
  return {
    name: "configurations",
    make: (chance) => {
      const text = configText(chance);
      return chance.oneIn(3) ? mutate(Buffer.from(text), chance).toString() : text;
    },
    show: (text) => JSON.stringify(text),
    counts,
    async check(text) {
      const source = { file: "/etc/rolefresh.ini", directory: "/etc", text, untrusted: undefined };
      const outcome = await madeOrRefused(() =>
        configFromSource(source, { env: {}, home: "/home/u", cwd: "/" }, undefined),
      );
      if ("refused" in outcome) {
        counts.refused++;
        assert.ok(outcome.refused instanceof ConfigIssues, outcome.refused.code);
        assert.ok(outcome.refused.issues.length > 0);
        counts.issues += outcome.refused.issues.length;
        for (const { message } of outcome.refused.issues)
          assert.match(oneLine(message), /^\/etc\/rolefresh\.ini(:\d+)?: /, message);
        return;
      }
      counts.accepted++;
      const { profiles } = outcome.made;
      const headers = new Set(text.split(/\r\n|\n|\r/).map((line) => line.replace(/^\ufeff/, "").trim()));
      assert.equal(new Set(profiles.map(({ profile }) => profile)).size, profiles.length, "a profile is there twice");
      for (const { profile, role, credentialsFile } of profiles) {
        assert.equal(profileNameProblem(profile), undefined);
        assert.ok(headers.has(`[${profile}]`), `[${profile}] is not what was written`);
        assert.ok(isAbsolute(credentialsFile));
        assert.match(role?.arn ?? "arn:aws:iam::000000000000:role/none", /^arn:[\w-]+:iam::\d{12}:role\/[\x21-\x7e]+$/);
      }
    },
  };
}
