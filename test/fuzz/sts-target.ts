import assert from "node:assert/strict";
import { inspect } from "node:util";
import { decodeClaims } from "../../src/sources/jwt.ts";
import { Secret } from "../../src/base/secret.ts";
import { assumeRoleWithWebIdentity } from "../../src/sts/assume-role-with-web-identity.ts";
import { openSts } from "../../src/sts/client.ts";
import { testWorld } from "../support/test-world.ts";
import type { Chance } from "./chance.ts";
import type { FuzzTarget } from "./fuzz.ts";
import { httpAnswer } from "./http-grammar.ts";
import { mutate } from "./mutate.ts";
import type { RawServer } from "./raw-server.ts";
import { assertTellsNothing, madeOrRefused } from "./refusal.ts";

const ROLE = { arn: "arn:aws:iam::123412341234:role/R", partition: "aws", account: "123412341234", name: "R" };
const NOW = new Date("2026-11-23T10:00:00Z");
/** They stand for keys in an answer that is not believed. */
const SECRETS = ["MarkedSecretKeyMarkedSecretKeyMarkedSecr", "MarkedTokenMarkedTokenMarkedTokenMarkedToken+/=="];
const TOKEN = [{ alg: "RS256" }, { iss: "https://accounts.google.com", aud: "gcp", sub: "1" }]
  .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
  .join(".");

const HOSTILE = [
  "",
  "\n[evil]\naws_access_key_id = AKIAEVIL",
  "\r[evil]",
  "&#10;[evil]&#10;",
  "&#13;",
  "&#0;",
  "]",
  "#",
  " ;",
  "=",
  '"',
  "\\",
  " ",
  "\u2028[evil]",
  "\u0085",
  "\u00e9",
  "<![CDATA[x\ny]]>",
  "<a/>",
  "&lt;",
  "&unknown;",
  "<!-- -->",
  "<?x?>",
];

function answerXml(chance: Chance): string {
  const fields: Record<string, string> = {
    AccessKeyId: "ASIAMARKEDKEYID00000",
    SecretAccessKey: SECRETS[0] ?? "",
    SessionToken: SECRETS[1] ?? "",
    Expiration: "2026-11-23T11:00:00Z",
  };
  let arn = "arn:aws:sts::123412341234:assumed-role/R/session";
  const bend = (value: string): string =>
    chance.weighted([
      [4, () => value + chance.pick(HOSTILE)],
      [2, () => chance.pick(HOSTILE) + value],
      [2, () => chance.pick(HOSTILE)],
      [1, () => value.repeat(chance.pick([2, 100, 3000]))],
      [1, () => value.slice(0, chance.below(value.length))],
    ]);
  if (chance.oneIn(2)) {
    const name = chance.pick([...Object.keys(fields), "Arn"]);
    if (name === "Arn") arn = bend(arn);
    else fields[name] = bend(fields[name] ?? "");
  }
  if (chance.oneIn(8))
    fields["Expiration"] = chance.pick([
      "2026-11-23T09:00:00Z",
      "2029-01-01T00:00:00Z",
      "1795428000",
      "tomorrow",
      "2026-11-23T11:00:00.123456789Z",
      "2026-11-23T11:00:00+01:00",
      "NaN",
      "-1",
      "1e400",
    ]);
  if (chance.oneIn(10)) delete fields[chance.pick(Object.keys(fields))];
  const inner = Object.entries(fields).map(([name, value]) => `<${name}>${value}</${name}>`);
  if (chance.oneIn(10)) inner.push(chance.pick(inner.length > 0 ? inner : [""]));
  return `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><AssumedRoleUser><AssumedRoleId>AROA:session</AssumedRoleId><Arn>${arn}</Arn></AssumedRoleUser><Credentials>${inner.join("")}</Credentials></AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>`;
}

function errorXml(chance: Chance): string {
  const code = chance.pick([
    "AccessDenied",
    "InvalidIdentityToken",
    "Throttling",
    "ExpiredTokenException",
    "InternalFailure",
    "__proto__",
    "constructor",
    "\n",
    "x".repeat(500),
  ]);
  return `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no: ${chance.pick(SECRETS)} ${chance.pick(HOSTILE)}</Message></Error></ErrorResponse>`;
}

/** STS's answers: a session every field of which is fit for a credentials file, or a failure that shows no key. */
export function stsTarget(server: RawServer): FuzzTarget<Buffer> {
  const counts = { accepted: 0, refused: 0 };
  const world = testWorld({ now: NOW });
  const token = { token: new Secret(`${TOKEN}.c2ln`), claims: decodeClaims(`${TOKEN}.c2ln`) };
  const request = {
    role: ROLE,
    sessionName: "session",
    durationSeconds: undefined,
    policyArns: [],
    policy: undefined,
    endpoint: { region: "eu-west-1", url: undefined },
  };
  return {
    name: "STS answers",
    make: (chance) => {
      const xml = Buffer.from(chance.oneIn(8) ? errorXml(chance) : answerXml(chance));
      const body = chance.oneIn(5) ? mutate(xml, chance) : xml;
      return httpAnswer(body, ["Content-Type: text/xml", "Date: Mon, 23 Nov 2026 10:00:00 GMT"], chance);
    },
    show: (bytes) => bytes.toString("base64"),
    counts,
    async check(bytes) {
      server.answerWith(bytes);
      const lines: string[] = [];
      const clients = openSts({
        uid: undefined,
        env: { AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${server.port}` },
        clock: { ...world, now: () => NOW, sleep: async () => undefined },
        deadline: { signal: new AbortController().signal, remainingMs: () => 60_000, clear: () => undefined },
        verbose: (line) => void lines.push(line),
        limits: { connectMs: 5000, totalMs: 5000, maxBytes: 1024 * 1024 },
      });
      const outcome = await madeOrRefused(() => assumeRoleWithWebIdentity(clients, request, token));
      clients.close();
      for (const secret of SECRETS) assert.ok(!lines.join("\n").includes(secret), "--verbose shows a key");
      if ("refused" in outcome) {
        counts.refused++;
        assert.match(outcome.refused.code, /^(STS|TOKEN)_/);
        assertTellsNothing(outcome.refused, SECRETS);
        assert.ok(
          !SECRETS.some((secret) => inspect(outcome.refused, { depth: 12, showHidden: true }).includes(secret)),
        );
        return;
      }
      counts.accepted++;
      const { accessKeyId, secretAccessKey, sessionToken, expiresAt, principalArn } = outcome.made;
      assert.match(accessKeyId, /^ASIA\w+$/);
      for (const value of [secretAccessKey.reveal(), sessionToken.reveal(), principalArn ?? "x"])
        assert.match(value, /^[\x21-\x7e]+$/);
      for (const value of [secretAccessKey.reveal(), sessionToken.reveal()]) assert.doesNotMatch(value, /["'#;\\]/);
      assert.ok(expiresAt > NOW && expiresAt.getTime() < NOW.getTime() + 37 * 3_600_000);
      assert.equal(principalArn?.toLowerCase(), "arn:aws:sts::123412341234:assumed-role/r/session");
    },
  };
}
