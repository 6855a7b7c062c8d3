import type { Chance } from "./chance.ts";
import { mutate } from "./mutate.ts";

/** The time by which the tokens are judged. */
export const NOW = new Date("2026-11-23T10:00:00Z");
const NOW_S = NOW.getTime() / 1000;

/** A claim that nobody may ever see: it stands for what a token proves. */
export const MARKED_CLAIM = "nobody-may-see-this-claim";

const INSTANTS: readonly unknown[] = [
  NOW_S,
  NOW_S + 3600,
  NOW_S + 3600,
  NOW_S - 3600,
  NOW_S + 0.5,
  NOW_S * 1000,
  -1,
  0,
  1e300,
  Number.MAX_SAFE_INTEGER,
  "soon",
  `${NOW_S}`,
  null,
  [],
  {},
  true,
];
const TEXTS: readonly unknown[] = [
  "gcp",
  "gcp",
  "https://accounts.google.com",
  "112233445566778899001",
  "",
  "a\nrolefresh: error: forged",
  "\u001b[31mred",
  "\u202ereversed",
  "x".repeat(5000),
  ["gcp"],
  ["gcp", 1, null],
  [[]],
  { toString: "x" },
  42,
  null,
];

const encode = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** Identity tokens: good ones, such with odd claims, and broken ones. */
export function tokenText(chance: Chance): string {
  const claims: Record<string, unknown> = {
    iss: "https://accounts.google.com",
    aud: "gcp",
    sub: "112233445566778899001",
    iat: NOW_S - 10,
    exp: NOW_S + 3600,
    jti: MARKED_CLAIM,
  };
  for (const name of chance.many(chance.pick([0, 1, 3]), () => chance.pick(["iss", "aud", "azp", "sub", "email"])))
    claims[name] = chance.pick(TEXTS);
  for (const name of chance.many(chance.pick([0, 1, 2]), () => chance.pick(["iat", "nbf", "exp"])))
    claims[name] = chance.pick(INSTANTS);
  if (chance.oneIn(8)) delete claims[chance.pick(["iss", "aud", "sub", "iat", "exp"])];
  const payload: unknown = chance.oneIn(12)
    ? chance.pick<unknown>([null, [], "text", 1, "", "{", `{"__proto__":{"aud":"gcp"}}`, "\ud800"])
    : claims;
  const parts = [
    encode({ alg: "RS256", typ: "JWT" }),
    encode(payload),
    encode(`signature-of-${chance.below(1e9)}-which-is-secret`),
  ];
  const token = chance.weighted([
    [40, () => parts.join(".")],
    [1, () => parts.slice(0, 2).join(".")],
    [1, () => [...parts, "x"].join(".")],
    [1, () => `${parts.join(".")}\n`],
    [1, () => `"${parts.join(".")}"`],
    [1, () => parts.join(".") + "A".repeat(25_000)],
    [1, () => "\ufeff" + parts.join(".")],
  ]);
  return chance.oneIn(6) ? mutate(Buffer.from(token), chance).toString() : token;
}

/**
 * The parts of a token that must never be shown: its signature and its claims as they stand. The marked claim is none where
 * a mutation has made it a part of one that is shown (iss, aud, azp, sub).
 */
export function secretsOf(token: string): readonly string[] {
  const [, payload = "", signature = ""] = token.trim().split(".");
  const text = Buffer.from(payload, "base64url").toString();
  const isShown = [...text.matchAll(/"(?:iss|aud|azp|sub)"\s*:\s*(\[[^\]]*\]?|"[^"]*"?)/g)].some(([, value = ""]) =>
    value.includes(MARKED_CLAIM),
  );
  return [payload, signature, ...(isShown ? [] : [MARKED_CLAIM])].filter((part) => part.length >= 16);
}
