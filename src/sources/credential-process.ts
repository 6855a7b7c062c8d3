import { Failure } from "../base/failure.ts";
import type { ProgramContext } from "../base/program.ts";
import { Secret } from "../base/secret.ts";
import { parseRecord } from "../net/json-response.ts";
import { commandOutput } from "./command-output.ts";
import type { ProvidedCredentials } from "./pass-through.ts";

/**
 * The credentials that a profile's `credential_process` prints
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html). It runs in a shell, as the SDK runs it,
 * but is killed at the deadline.
 *
 * @throws Failure as `commandOutput`; IDENTITY_INVALID_RESPONSE for other output
 */
export async function processCredentials(
  profile: string,
  command: string,
  context: ProgramContext,
): Promise<ProvidedCredentials> {
  const describe = `the credential_process of profile '${profile}'`;
  const invalid = (what: string) =>
    new Failure("IDENTITY_INVALID_RESPONSE", `${describe} printed ${what}`, {
      hint: "see https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html for its output",
    });
  const output = parseRecord(await commandOutput(describe, command, context));
  if (output?.["Version"] !== 1) throw invalid("no JSON object with Version 1");
  const { AccessKeyId: accessKeyId, SecretAccessKey: secret, SessionToken: token, Expiration: expiration } = output;
  if (typeof accessKeyId !== "string" || typeof secret !== "string" || accessKeyId === "" || secret === "")
    throw invalid("no AccessKeyId and SecretAccessKey");
  if (token !== undefined && token !== null && typeof token !== "string") throw invalid("no SessionToken");
  const expiresMs = typeof expiration === "string" ? Date.parse(expiration) : Number.NaN;
  if (expiration !== undefined && expiration !== null && Number.isNaN(expiresMs))
    throw invalid("an invalid Expiration");
  return {
    accessKeyId,
    secretAccessKey: new Secret(secret),
    sessionToken: token ? new Secret(token) : undefined,
    expiresAt: Number.isNaN(expiresMs) ? undefined : new Date(expiresMs),
  };
}
