import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { createLocalJWKSet, exportJWK, SignJWT, type JSONWebKeySet, type JWTPayload } from "jose";

/**
 * Claims to set over the default ones of a Google service account's token; `undefined` leaves a claim out.
 * `iat` and `exp` are seconds since 1970, as in the token.
 */
export type TokenClaims = Readonly<Record<string, unknown>> & {
  readonly aud?: string | readonly string[] | undefined;
  readonly azp?: string | undefined;
  readonly sub?: string | undefined;
  readonly iss?: string | undefined;
  readonly iat?: number | undefined;
  readonly exp?: number | undefined;
  readonly nbf?: number | undefined;
  readonly email?: string | undefined;
};

/**
 * Who signs: `google` as it should be; `stranger` names Google's key and signs with another; `unknown-key` names a key
 * that no JWKS has; `nobody` is the `alg: none` forgery.
 */
export type Signer = "google" | "stranger" | "unknown-key" | "nobody";

interface KeyRing {
  readonly google: KeyObject;
  readonly stranger: KeyObject;
  readonly jwks: JSONWebKeySet;
}

/** Shaped like the ids of https://www.googleapis.com/oauth2/v3/certs. */
const GOOGLE_KEY_ID = "6f7254101f56e41cf35c9926de84a2d552b4c6f1";

let ring: Promise<KeyRing> | undefined;

async function generateRing(): Promise<KeyRing> {
  const generate = promisify(generateKeyPair);
  const [google, stranger] = await Promise.all([
    generate("rsa", { modulusLength: 2048 }),
    generate("rsa", { modulusLength: 2048 }),
  ]);
  const jwk = await exportJWK(google.publicKey);
  const key = { ...jwk, kid: GOOGLE_KEY_ID, alg: "RS256", use: "sig" };
  return { google: google.privateKey, stranger: stranger.privateKey, jwks: { keys: [key] } };
}

/** The keys of this process, made at first use: two RSA keys take about 100 ms. */
function keyRing(): Promise<KeyRing> {
  ring ??= generateRing();
  return ring;
}

/** The public keys, as Google publishes them. */
export async function publicKeys(): Promise<JSONWebKeySet> {
  return (await keyRing()).jwks;
}

/** Finds the key that a token's header names. */
export async function keyFinder(): Promise<ReturnType<typeof createLocalJWKSet>> {
  return createLocalJWKSet(await publicKeys());
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Signs the claims as a JWT of RS256. */
export async function signToken(claims: TokenClaims, signer: Signer = "google"): Promise<string> {
  // JSON drops the claims that are undefined, which is what TokenClaims promises.
  const payload = JSON.parse(JSON.stringify(claims)) as JWTPayload;
  if (signer === "nobody") return `${base64url({ alg: "none", typ: "JWT" })}.${base64url(payload)}.`;
  const keys = await keyRing();
  return new SignJWT(payload)
    .setProtectedHeader({
      alg: "RS256",
      kid: signer === "unknown-key" ? "0000000000000000000000000000000000000000" : GOOGLE_KEY_ID,
      typ: "JWT",
    })
    .sign(signer === "google" ? keys.google : keys.stranger);
}
