import type { Deadline } from "../base/deadline.ts";
import { pathOrThrow, usualAwsConfigFile, usualCredentialsFile } from "../base/expand-path.ts";
import { Failure } from "../base/failure.ts";
import type { Outbound } from "../net/outbound.ts";
import { redact } from "../base/printable.ts";
import type { StsEndpoint } from "../config/config.ts";
import type { Clock, Environment } from "../base/world.ts";
import { keysOfProcess } from "./credential-process.ts";
import { toFailure } from "../sts/fault.ts";
import type { ProvidedKeys } from "./pass-through.ts";
import {
  foreseenIn,
  hopLimitIn,
  isNetworkTrouble,
  silentLogger,
  toProvided,
  untilDeadline,
  wordsOf,
} from "./sdk-credentials.ts";
import { handOver, handOverTokens } from "./shared-files.ts";
import { refuseOwnKeys } from "./reject-self-reference.ts";
import type { HttpHead } from "../net/http.ts";
import { sdkRetryStrategy } from "../net/retry-policy.ts";
import { AttemptFailed, Transport } from "../net/sdk-transport.ts";

/** What is needed to resolve a profile of `~/.aws/config`. */
export interface AwsProfileContext {
  readonly env: Environment;
  readonly clock: Clock;
  readonly home: string | undefined;
  readonly cwd: string | undefined;
  /** The effective user id; undefined where files have no owners. */
  readonly uid: number | undefined;
  readonly deadline: Deadline;
  readonly outbound: Outbound;
}

/**
 * The keys that the AWS SDK resolves for a profile of `~/.aws/config`: IAM Identity Center (SSO), `aws login`,
 * `credential_process`, web identity, roles with their source profiles, instance and container roles
 * (https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html). SSO and STS are asked over the run's own
 * connections. A section that rolefresh writes is refused as its source: what it holds would be taken for the real thing.
 *
 * @param writes the sections of the credentials file that rolefresh writes
 * @throws Failure SOURCE_KEYS_MISSING for a profile that is nowhere, CONFIG_INVALID for one that leads back to us,
 *   IDENTITY_DENIED for a login that has expired, IDENTITY_UNAVAILABLE, IDENTITY_TEMPORARY, IDENTITY_INVALID_RESPONSE, STS_*;
 *   TIMEOUT, INTERRUPTED
 */
export async function keysOfAwsProfile(
  profile: string,
  endpoint: StsEndpoint,
  writes: readonly string[],
  context: AwsProfileContext,
): Promise<ProvidedKeys> {
  const { deadline } = context;
  const files = {
    configFilepath: pathOrThrow("AWS_CONFIG_FILE", usualAwsConfigFile(context)),
    filepath: pathOrThrow("AWS_SHARED_CREDENTIALS_FILE", usualCredentialsFile(context)),
    // `watch` stays for days, and people log in meanwhile.
    ignoreCache: true,
  };
  const { loadSharedConfigFiles } = await import("@smithy/shared-ini-file-loader");
  await handOver([files.configFilepath, files.filepath], context);
  const shared = await loadSharedConfigFiles(files);
  await handOverTokens(shared, context);
  const own = refuseOwnKeys(profile, shared, writes, files.configFilepath);
  // The SDK starts it without any deadline, and cannot stop it.
  if (own["credential_process"] !== undefined && isFirstChoice(own))
    return keysOfProcess(profile, own["credential_process"], context);
  const { fromIni } = await import("@aws-sdk/credential-providers");
  let lastStatus = 0;
  // The SDK's clients are told of no deadline: without the signal they would go on trying long after it.
  const onHead = (head: HttpHead) => {
    lastStatus = head.status;
  };
  const common = { abortSignal: deadline.signal, onHead };
  const requestHandler = new Transport(context.outbound, { caBundle: endpoint.caBundle, common });
  const logger = silentLogger();
  const retryStrategy = sdkRetryStrategy(deadline, context.clock, () => undefined);
  const provide = fromIni({
    ...files,
    profile,
    logger,
    clientConfig: { requestHandler, logger, retryStrategy },
    parentClientConfig: { region: endpoint.region, requestHandler, logger, retryStrategy },
  });
  const describe = `profile '${profile}' of ${files.configFilepath}`;
  try {
    return toProvided(await untilDeadline(provide(), deadline, `${describe} has not been resolved`));
  } catch (error) {
    throw failureOf(error, lastStatus, profile, describe, endpoint, deadline);
  }
}

/** As the SDK chooses (credential-provider-ini, resolveProfileData.js). */
function isFirstChoice(own: Readonly<Record<string, string | undefined>>): boolean {
  return ["role_arn", "aws_access_key_id", "web_identity_token_file"].every((key) => own[key] === undefined);
}

function failureOf(
  error: unknown,
  lastStatus: number,
  profile: string,
  describe: string,
  endpoint: StsEndpoint,
  deadline: Deadline,
): unknown {
  const foreseen = foreseenIn(error);
  if (foreseen) return foreseen;
  const words = wordsOf(error);
  const make = (code: ConstructorParameters<typeof Failure>[0], message: string, hint: string) =>
    new Failure(code, `${describe}: ${message}`, { hint });
  const hopLimit = hopLimitIn(error);
  if (hopLimit) return make(hopLimit.code, hopLimit.message, hopLimit.hint ?? "");
  const refusal = refusalIn(error);
  if (refusal) return make("IDENTITY_INVALID_RESPONSE", refusal.detail, refusal.hint);
  if (lastStatus >= 500 || lastStatus === 429)
    return make("IDENTITY_TEMPORARY", `AWS responds with status ${lastStatus}`, "the next run will retry");
  // The parser's message quotes the answer, which may hold keys.
  if (/Deserialization error|SyntaxError|invalid temporary credential/.test(words))
    return make(
      "IDENTITY_INVALID_RESPONSE",
      "the response holds no credentials",
      "check for a proxy or login page between this host and AWS",
    );
  if (/aws login|login session|LoginCredentials/i.test(words) && !/sso login/i.test(words))
    return make("IDENTITY_DENIED", "its login has expired", `aws login --profile ${profile}`);
  const sso = ssoTrouble(words);
  if (sso !== undefined) return make("IDENTITY_DENIED", sso, `aws sso login --profile ${profile}`);
  if (/ForbiddenException|No access/.test(words))
    return make(
      "IDENTITY_DENIED",
      "IAM Identity Center denies access to this account and role",
      "check sso_account_id and sso_role_name, and request the permission set",
    );
  if (/multi-factor/i.test(words))
    return make(
      "IDENTITY_DENIED",
      "it asks for an MFA code",
      "use 'identity = session' with mfa_serial and mfa_command",
    );
  if (isNetworkTrouble(words))
    return make(
      "IDENTITY_TEMPORARY",
      "the network fails",
      "check that this host can reach AWS (DNS, firewall, proxy); the next run will retry",
    );
  if (error instanceof Error && "$fault" in error) {
    const where = `the STS of ${endpoint.region}`;
    const call = { action: "the SDK's call", subject: describe, where, region: endpoint.region, deadline };
    return toFailure(error, { ...call, deniedHint: `try it: aws sts get-caller-identity --profile ${profile}` });
  }
  const message = error instanceof Error ? redact(error.message, 200).replace(/\.$/, "") : "it cannot be resolved";
  return make("IDENTITY_UNAVAILABLE", message, `try it: aws sts get-caller-identity --profile ${profile}`);
}

/** TLS or a proxy that fails, wherever the SDK has wrapped it. */
function refusalIn(error: unknown): { readonly detail: string; readonly hint: string } | undefined {
  if (error instanceof AttemptFailed && error.failure.hint !== undefined)
    return { detail: error.failure.detail, hint: error.failure.hint };
  return error instanceof Error ? refusalIn(error.cause) : undefined;
}

/** By the words of credential-provider-sso and token-providers (10.x: fromSso.js), and of the portal. */
function ssoTrouble(words: string): string | undefined {
  if (/SSO session (token )?associated with .* is invalid|was not found or is invalid/i.test(words))
    return "it has no SSO login on this machine";
  if (/UnauthorizedException|Session token not found/.test(words)) return "IAM Identity Center rejects its SSO login";
  // Where the login cannot be renewed, a part that is missing is named: `refreshToken`.
  const isOld = /expired|not present|refresh this SSO session/i.test(words) && /SSO|sso login/.test(words);
  return isOld ? "its SSO login has expired" : undefined;
}
