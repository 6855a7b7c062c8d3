import { Failure } from "../base/failure.ts";
import type { ProgramContext } from "../base/program.ts";
import { Secret } from "../base/secret.ts";
import { commandOutput } from "./command-output.ts";
import type { ProvidedKeys } from "./pass-through.ts";

/**
 * The keys that a profile's `credential_process` prints
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html). It runs as the SDK runs it, in a shell,
 * but within the deadline, at which it is killed with all its children.
 *
 * @throws Failure IDENTITY_UNAVAILABLE, IDENTITY_TEMPORARY, IDENTITY_INVALID_RESPONSE; TIMEOUT, INTERRUPTED
 */
export async function keysOfProcess(profile: string, command: string, context: ProgramContext): Promise<ProvidedKeys> {
  const output = await commandOutput(`credential_process of profile '${profile}'`, command, context);
  const answer = parseObject(output);
  if (answer?.["Version"] !== 1) throw invalidResponse(profile, "no JSON object with Version 1");
  const { AccessKeyId: accessKeyId, SecretAccessKey: secret, SessionToken: token, Expiration: expiration } = answer;
  if (typeof accessKeyId !== "string" || typeof secret !== "string" || accessKeyId === "" || secret === "")
    throw invalidResponse(profile, "no AccessKeyId and SecretAccessKey");
  if (token !== undefined && token !== null && typeof token !== "string")
    throw invalidResponse(profile, "no SessionToken");
  const expiresMs = typeof expiration === "string" ? Date.parse(expiration) : Number.NaN;
  if (expiration !== undefined && expiration !== null && Number.isNaN(expiresMs))
    throw invalidResponse(profile, "an Expiration that is no time");
  return {
    accessKeyId,
    secretAccessKey: new Secret(secret),
    sessionToken: typeof token === "string" && token !== "" ? new Secret(token) : undefined,
    expiresAt: Number.isNaN(expiresMs) ? undefined : new Date(expiresMs),
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function invalidResponse(profile: string, what: string): Failure {
  return new Failure("IDENTITY_INVALID_RESPONSE", `the credential_process of profile '${profile}' printed ${what}`, {
    hint: "it must print what https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html says",
  });
}
