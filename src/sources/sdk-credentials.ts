import { type Deadline, interruption } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import { Secret } from "../base/secret.ts";
import type { ProvidedCredentials } from "./pass-through.ts";

/** Credentials as the SDK's providers return them. */
interface SdkCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly expiration?: Date | undefined;
}

/**
 * Waits for a provider of the SDK, which knows no deadline, and wraps its secrets.
 *
 * @param describe names what is awaited in the message at the deadline
 * @throws TIMEOUT, INTERRUPTED, or what the provider throws
 */
export async function sdkCredentials(
  work: Promise<SdkCredentials>,
  deadline: Deadline,
  describe: string,
): Promise<ProvidedCredentials> {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = await untilDeadline(work, deadline, describe);
  return {
    accessKeyId,
    secretAccessKey: new Secret(secretAccessKey),
    sessionToken: sessionToken === undefined ? undefined : new Secret(sessionToken),
    expiresAt: expiration,
  };
}

async function untilDeadline<T>(work: Promise<T>, deadline: Deadline, describe: string): Promise<T> {
  const { signal } = deadline;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(interruption(deadline, describe));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** Drops the SDK's log lines, some of which it would print to the console. */
export function silentLogger() {
  const silent = (): void => {};
  return { trace: silent, debug: silent, info: silent, warn: silent, error: silent };
}

/** An error and what it wraps, outermost first. */
export function causesOf(error: unknown): readonly unknown[] {
  return error instanceof Error && error.cause !== undefined ? [error, ...causesOf(error.cause)] : [error];
}

/** The names, codes and messages of an error and its causes, for patterns; never shown. */
export function errorText(error: unknown): string {
  const textOf = (one: unknown) =>
    one instanceof Error ? `${one.name} ${"code" in one ? String(one.code) : ""} ${one.message}` : String(one);
  return causesOf(error).map(textOf).join(" ");
}

/**
 * Where IMDSv2 is required and the response to its PUT was lost (one hop too many, as in a container), the SDK goes on
 * without session token and gets 401
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html).
 */
export function hopLimitFailure(error: unknown): Failure | undefined {
  const isLost = causesOf(error).some(
    (one) =>
      one instanceof Error &&
      "statusCode" in one &&
      one.statusCode === 401 &&
      one.message.includes("instance metadata service"),
  );
  if (!isLost) return undefined;
  const cause = "the instance metadata service requires IMDSv2, and its session token does not arrive (status 401)";
  const command = "aws ec2 modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2";
  return new Failure("IDENTITY_DENIED", cause, { hint: `in a container: ${command}` });
}
