import { pathOrThrow, usualAwsConfigFile, usualCredentialsFile } from "../base/expand-path.ts";
import { Failure, type FailureCode } from "../base/failure.ts";
import { redact } from "../base/printable.ts";
import type { ProgramContext } from "../base/program.ts";
import type { Clock } from "../base/world.ts";
import type { StsEndpoint } from "../config/config.ts";
import type { HttpHead } from "../net/http.ts";
import type { Outbound } from "../net/outbound.ts";
import { sdkRetryStrategy } from "../net/retry-policy.ts";
import { AttemptFailed, Transport } from "../net/sdk-transport.ts";
import { toFailure } from "../sts/fault.ts";
import { processCredentials } from "./credential-process.ts";
import type { ProvidedCredentials } from "./pass-through.ts";
import { rejectSelfReference } from "./reject-self-reference.ts";
import { causesOf, errorText, hopLimitFailure, sdkCredentials, silentLogger } from "./sdk-credentials.ts";
import { interceptSharedFiles, interceptTokenFiles } from "./shared-files.ts";

interface AwsProfile {
  readonly name: string;
  /** Its region and CA bundle are used where the profile calls AWS. */
  readonly endpoint: StsEndpoint;
  /** The sections of the credentials file that rolefresh writes. */
  readonly writes: readonly string[];
}

interface AwsProfileContext extends ProgramContext {
  readonly clock: Clock;
  readonly home: string | undefined;
  /** The effective user id; undefined where files have no owners. */
  readonly uid: number | undefined;
  readonly outbound: Outbound;
}

/**
 * The credentials that the AWS SDK resolves for a profile of `~/.aws/config`: IAM Identity Center (SSO), `aws login`,
 * `credential_process`, web identity, roles with their source profiles, instance and container roles
 * (https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html). SSO and STS are called over the run's own
 * connections.
 *
 * @throws Failure SOURCE_KEYS_MISSING for an unknown profile, CONFIG_INVALID for one that depends on a section that
 *   rolefresh writes, IDENTITY_DENIED for an expired login, IDENTITY_UNAVAILABLE, IDENTITY_TEMPORARY, IDENTITY_INVALID_RESPONSE,
 *   STS_*; TIMEOUT, INTERRUPTED
 */
export async function awsProfileCredentials(
  profile: AwsProfile,
  context: AwsProfileContext,
): Promise<ProvidedCredentials> {
  const { deadline, outbound, clock } = context;
  const { name, endpoint } = profile;
  const files = {
    configFilepath: pathOrThrow("AWS_CONFIG_FILE", usualAwsConfigFile(context)),
    filepath: pathOrThrow("AWS_SHARED_CREDENTIALS_FILE", usualCredentialsFile(context)),
    // `watch` runs for days, and people log in meanwhile.
    ignoreCache: true,
  };
  const { loadSharedConfigFiles } = await import("@smithy/shared-ini-file-loader");
  await interceptSharedFiles([files.configFilepath, files.filepath], context);
  const shared = await loadSharedConfigFiles(files);
  await interceptTokenFiles(shared, context);
  const settings = rejectSelfReference(profile, shared, files.configFilepath);
  // The SDK starts it without a deadline, and cannot stop it.
  if (settings["credential_process"] !== undefined && isFirstChoice(settings))
    return processCredentials(name, settings["credential_process"], context);
  const { fromIni } = await import("@aws-sdk/credential-providers");
  let lastStatus = 0;
  const onHead = (head: HttpHead) => {
    lastStatus = head.status;
  };
  // Without the signal the SDK's clients would retry long after the deadline.
  const common = { abortSignal: deadline.signal, onHead };
  const requestHandler = new Transport(outbound, { caBundle: endpoint.caBundle, common });
  const logger = silentLogger();
  const clientConfig = { requestHandler, logger, retryStrategy: sdkRetryStrategy(deadline, clock, () => undefined) };
  const provide = fromIni({
    ...files,
    profile: name,
    logger,
    clientConfig,
    parentClientConfig: { ...clientConfig, region: endpoint.region },
  });
  const describe = `profile '${name}' of ${files.configFilepath}`;
  try {
    return await sdkCredentials(provide(), deadline, `${describe} has not been resolved`);
  } catch (error) {
    const failure = resolutionFailure(error, lastStatus, name, describe);
    if (failure) throw failure;
    const call = { action: "the SDK's call", subject: describe, where: `the STS of ${endpoint.region}`, deadline };
    throw toFailure(error, { ...call, region: endpoint.region, deniedHint: tryHint(name) });
  }
}

/** In the order of the SDK (credential-provider-ini, resolveProfileData.js). */
function isFirstChoice(settings: Readonly<Record<string, string | undefined>>): boolean {
  return ["role_arn", "aws_access_key_id", "web_identity_token_file"].every((key) => settings[key] === undefined);
}

interface Rule {
  readonly text: RegExp;
  readonly code: FailureCode;
  readonly cause: string;
  readonly hint: (profile: string) => string;
}

const ssoLogin = (profile: string): string => `aws sso login --profile ${profile}`;

/** By the messages of credential-provider-sso and token-providers (10.x: fromSso.js), and of the portal; the first match counts. */
const RULES: readonly Rule[] = [
  {
    // The parser's message quotes the response, which may hold secrets.
    text: /Deserialization error|SyntaxError|invalid temporary credential/,
    code: "IDENTITY_INVALID_RESPONSE",
    cause: "the response holds no credentials",
    hint: () => "check for a proxy or login page between this host and AWS",
  },
  {
    text: /^(?!.*sso login).*(aws login|login session|LoginCredentials)/is,
    code: "IDENTITY_DENIED",
    cause: "its login has expired",
    hint: (profile) => `aws login --profile ${profile}`,
  },
  {
    text: /SSO session (token )?associated with .* is invalid|was not found or is invalid/i,
    code: "IDENTITY_DENIED",
    cause: "it has no SSO login on this machine",
    hint: ssoLogin,
  },
  {
    text: /UnauthorizedException|Session token not found/,
    code: "IDENTITY_DENIED",
    cause: "IAM Identity Center rejects its SSO login",
    hint: ssoLogin,
  },
  {
    // Where the login cannot be renewed, the message names what is missing: `refreshToken`.
    text: /^(?=.*([Ee]xpired|not present|refresh this SSO session))(?=.*(SSO|sso login))/s,
    code: "IDENTITY_DENIED",
    cause: "its SSO login has expired",
    hint: ssoLogin,
  },
  {
    text: /ForbiddenException|No access/,
    code: "IDENTITY_DENIED",
    cause: "IAM Identity Center denies access to this account and role",
    hint: () => "check sso_account_id and sso_role_name, and request the permission set",
  },
  {
    text: /multi-factor/i,
    code: "IDENTITY_DENIED",
    cause: "it asks for an MFA code",
    hint: () => "use 'identity = session' with mfa_serial and mfa_command",
  },
  {
    text: /TimeoutError|ETIMEDOUT|ECONNRESET|ECONNREFUSED|EPIPE|ENOTFOUND|EAI_AGAIN|E(HOST|NET)UNREACH/,
    code: "IDENTITY_TEMPORARY",
    cause: "the network fails",
    hint: () => "check that this host can reach AWS (DNS, firewall, proxy); the next run will retry",
  },
];

/** Undefined for an error of STS itself. */
function resolutionFailure(error: unknown, lastStatus: number, profile: string, describe: string): Failure | undefined {
  const causes = causesOf(error);
  const foreseen = causes.find((one) => one instanceof Failure);
  if (foreseen) return foreseen;
  const make = (code: FailureCode, cause: string, hint: string | undefined) =>
    new Failure(code, `${describe}: ${cause}`, { hint });
  const hopLimit = hopLimitFailure(error);
  if (hopLimit) return make(hopLimit.code, hopLimit.message, hopLimit.hint);
  // TLS or a proxy.
  const rejected = causes.filter((one) => one instanceof AttemptFailed).find(({ failure }) => failure.hint);
  if (rejected) return make("IDENTITY_INVALID_RESPONSE", rejected.failure.detail, rejected.failure.hint);
  if (lastStatus >= 500 || lastStatus === 429)
    return make("IDENTITY_TEMPORARY", `AWS responds with status ${lastStatus}`, "the next run will retry");
  const text = errorText(error);
  const rule = RULES.find((one) => one.text.test(text));
  if (rule) return make(rule.code, rule.cause, rule.hint(profile));
  if (error instanceof Error && "$fault" in error) return undefined;
  const cause = error instanceof Error ? redact(error.message, 200).replace(/\.$/, "") : "it cannot be resolved";
  return make("IDENTITY_UNAVAILABLE", cause, tryHint(profile));
}

const tryHint = (profile: string): string => `try it: aws sts get-caller-identity --profile ${profile}`;
