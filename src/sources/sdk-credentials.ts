import type { Deadline } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import { interruption } from "../base/interruption.ts";
import { Secret } from "../base/secret.ts";
import type { ProvidedKeys, SdkKeys } from "./pass-through.ts";

/**
 * Waits for a provider of the SDK, which knows of no deadline.
 *
 * @param describe for the message at the deadline: `the instance metadata service has not answered`
 * @throws the deadline's failure, or what the provider throws
 */
export async function untilDeadline<T>(work: Promise<T>, deadline: Deadline, describe: string): Promise<T> {
  const { signal } = deadline;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(interruption(deadline, describe));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** The SDK's keys as ours, secrets wrapped. */
export function toProvided(keys: SdkKeys): ProvidedKeys {
  return {
    accessKeyId: keys.accessKeyId,
    secretAccessKey: new Secret(keys.secretAccessKey),
    sessionToken: keys.sessionToken === undefined ? undefined : new Secret(keys.sessionToken),
    expiresAt: keys.expiration,
  };
}

/** Takes the SDK's log lines: it would write some of them to the console otherwise. */
export function silentLogger() {
  const silent = (): void => {};
  return { trace: silent, debug: silent, info: silent, warn: silent, error: silent };
}

/** Whether a failure of the network is one that the next run may heal. */
export function isNetworkTrouble(text: string): boolean {
  return /TimeoutError|ETIMEDOUT|ECONNRESET|ECONNREFUSED|EPIPE|ENOTFOUND|EAI_AGAIN|E(HOST|NET)UNREACH/.test(text);
}

/** All that an error and what it wraps say, for patterns; never shown. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  return `${error.name} ${code} ${error.message} ${error.cause === undefined ? "" : wordsOf(error.cause)}`;
}

/** A failure that was foreseen goes through as it is, wherever the SDK has wrapped it. */
export function foreseenIn(error: unknown): Failure | undefined {
  if (error instanceof Failure) return error;
  return error instanceof Error && error.cause !== undefined ? foreseenIn(error.cause) : undefined;
}

/**
 * Where version 2 is required and the answer to its PUT was lost on the way (one hop too many, as in a container), the SDK
 * goes on without session token and gets 401
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html).
 */
export function hopLimitIn(error: unknown): Failure | undefined {
  if (!(error instanceof Error)) return undefined;
  const isRefused = "statusCode" in error && error.statusCode === 401;
  if (!isRefused || !error.message.includes("instance metadata service")) return hopLimitIn(error.cause);
  return new Failure(
    "IDENTITY_DENIED",
    "the instance metadata service requires IMDSv2, and its session token is lost on the way (status 401)",
    {
      hint: "in a container: aws ec2 modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2",
    },
  );
}
