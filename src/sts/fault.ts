import { type Deadline, interruption } from "../base/deadline.ts";
import { errnoOf, Failure, type FailureCode } from "../base/failure.ts";
import { networkFailure } from "./network-failure.ts";
import { redact } from "../base/printable.ts";

/** A call, for its messages. */
interface CallDescription {
  readonly action: string;
  readonly subject: string;
  readonly where: string;
  readonly region: string;
  /** Whether the region's FIPS endpoint is called. */
  readonly useFips?: boolean | undefined;
  /** The signing keys; absent for an unsigned call. */
  readonly keys?: { readonly sessionToken: unknown } | undefined;
  readonly deniedHint: string;
  /** For a token that STS calls invalid: what IAM must know. */
  readonly tokenHint?: string | undefined;
  readonly deadline: Deadline;
}

/** The SDK's error for an AWS error; matched by shape, because the SDK is not loaded here. */
interface ServiceError extends Error {
  /** The code on the wire; `name` may add `Exception` to it. */
  readonly Code?: unknown;
  readonly $fault: string;
  readonly $metadata: { readonly httpStatusCode?: number };
}

interface Rule {
  readonly codes: RegExp;
  readonly failure: FailureCode;
  readonly hint: string | ((call: CallDescription) => string);
}

const CLOCK = "check this machine's clock with `timedatectl`";

/**
 * The regions that are enabled by default; the list is closed, as every region since March 2019 must be enabled by hand
 * (https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html). Tokens of the global endpoint are not
 * valid in the others (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html).
 */
const DEFAULT_REGION =
  /^(us-(east|west)-[12]|ca-central-1|sa-east-1|eu-(central-1|north-1|west-[123])|ap-(south-1|northeast-[123]|southeast-[12])|(cn|us-gov|us-iso\w*|eu-iso\w*|eusc)-.*)$/;

/**
 * STS's error codes (https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html and each action's page), with
 * and without the `Exception` that some of them carry on the wire. The first rule that matches counts.
 */
const RULES: readonly Rule[] = [
  {
    codes: /^(AccessDenied|UnauthorizedOperation|NotAuthorized)$/,
    failure: "STS_DENIED",
    hint: (call) => call.deniedHint,
  },
  {
    codes: /^(InvalidClientTokenId|UnrecognizedClient|InvalidAccessKeyId|MissingAuthenticationToken|OptInRequired)$/,
    failure: "STS_DENIED",
    hint: unknownKeysHint,
  },
  {
    codes: /^(SignatureDoesNotMatch|InvalidSignature|IncompleteSignature)$/,
    failure: "STS_DENIED",
    hint: `check that the source profile's secret key belongs to its access key, and ${CLOCK}`,
  },
  { codes: /^(RequestExpired|RequestTimeTooSkewed|RequestInTheFuture)$/, failure: "STS_DENIED", hint: CLOCK },
  {
    codes: /^(ExpiredToken|TokenRefreshRequired)$/,
    failure: "STS_TOKEN_EXPIRED",
    hint: `get a new token, or refresh the source profile; if it is new, ${CLOCK}`,
  },
  {
    codes: /^(InvalidIdentityToken|IDPRejectedClaim)$/,
    failure: "STS_TOKEN_INVALID",
    hint: (call) =>
      call.tokenHint ??
      "create an IAM OIDC provider with the token's issuer and audience (`accounts.google.com` is built in)",
  },
  {
    codes: /^IDPCommunicationError$/,
    failure: "STS_UNAVAILABLE",
    hint: "AWS cannot reach the token's issuer; the next run will retry",
  },
  {
    codes:
      /^(Throttling|Throttled|RequestThrottled|TooManyRequests|RequestLimitExceeded|SlowDown|LimitExceeded|BandwidthLimitExceeded)$/,
    failure: "STS_THROTTLED",
    hint: "STS limits calls per account and region; spread the runs of a fleet over time",
  },
  {
    codes: /^RegionDisabled$/,
    failure: "STS_REGION_DISABLED",
    hint: (call) => `activate STS in ${call.region} in the account's IAM settings, or set another \`region\``,
  },
  {
    codes: /^MalformedPolicyDocument$/,
    failure: "STS_REQUEST_REFUSED",
    hint: "check the JSON of `policy_file`",
  },
  {
    codes: /^PackedPolicyTooLarge$/,
    failure: "STS_REQUEST_REFUSED",
    hint: "shorten `policy_file`, `policy_arns` and `tags`: together they are too large when packed",
  },
];

/**
 * An error of a call as a failure with a hint. It quotes one line of AWS's own message, without anything that looks like a key
 * or token.
 *
 * @returns an unforeseen error as it is: a bug, for the caller to throw.
 */
export function toFailure(error: unknown, call: CallDescription): unknown {
  // An unusable proxy or CA bundle; the deadline's own failure does not yet say what was slow.
  if (error instanceof Failure && error !== call.deadline.signal.reason) return error;
  const what = `${call.action} of ${call.subject} at ${call.where}`;
  // A response in the last moment says more than a timeout.
  if (isServiceError(error)) return serviceFailure(error, what, call);
  if (call.deadline.signal.aborted) return interruption(call.deadline, `${what}: no response`);
  // The SDK adds the response to its parser's error (schemaDeserializationMiddleware.js); its body may hold keys, so it is not the cause.
  if (error instanceof Error && "$response" in error) {
    return new Failure("STS_INVALID_RESPONSE", `${what}: the response is not from STS`, { hint: notSts(call) });
  }
  return networkFailure(error, what, call) ?? error;
}

/** Whether STS could not fetch the issuer's keys, which it calls an invalid token. */
export function isVerificationKeyFault(error: unknown): boolean {
  return (
    error instanceof Error &&
    error.name.startsWith("InvalidIdentityToken") &&
    /retrieve verification key/i.test(error.message)
  );
}

/** One word for an error: its AWS code or errno, or the status of a response without a code. */
export function wordOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if (isServiceError(error) && codeOf(error) === "Unknown") return `status ${error.$metadata.httpStatusCode ?? 0}`;
  const code = isServiceError(error) && typeof error.Code === "string" ? error.Code : errnoOf(error);
  return redact(code ?? error.name, 64);
}

function serviceFailure(error: ServiceError, what: string, call: CallDescription): Failure {
  const status = error.$metadata.httpStatusCode ?? 0;
  const code = codeOf(error);
  const make = (failure: FailureCode, hint: string) =>
    new Failure(failure, `${what}: ${wordOf(error)}: ${redact(error.message).replace(/\.$/, "")}`, {
      hint,
      cause: withoutResponse(error),
    });
  if (isVerificationKeyFault(error))
    return make("STS_UNAVAILABLE", "AWS could not fetch the issuer's keys; the next run will retry");
  // "…failed with invalid MFA one time pass code" (lonelyplanet/aws-mfa#20), "…unable to validate MFA code" (aws-cli#6325).
  if (error.message.startsWith("MultiFactorAuthentication failed")) return make("STS_DENIED", MFA_HINT);
  const besides = permissionBesides(error.message);
  if (besides !== undefined) return make("STS_DENIED", besides);
  const rule = RULES.find(({ codes }) => codes.test(code));
  if (rule !== undefined) return make(rule.failure, typeof rule.hint === "string" ? rule.hint : rule.hint(call));
  if (status === 429) return make("STS_THROTTLED", "spread the runs of a fleet over time");
  // Without a code there is no AWS error in the response: a proxy, a portal, a redirect.
  if (code === "Unknown" || code === "NotFound") {
    const told = `${what}: status ${status} without an AWS error`;
    return new Failure(status >= 500 ? "STS_UNAVAILABLE" : "STS_INVALID_RESPONSE", told, { hint: notSts(call) });
  }
  if (status >= 500) return make("STS_UNAVAILABLE", "STS is failing; the next run will retry");
  return make("STS_REQUEST_REFUSED", refusedHint(error.message));
}

/**
 * Permissions that a call needs besides its own. STS names the missing one: "User: arn:… is not authorized to perform:
 * sts:SetSourceIdentity on resource: arn:…" (noqdev/iambic#357;
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html for sts:TagSession).
 */
function permissionBesides(message: string): string | undefined {
  const action = /not authorized to perform:? (sts:(?:TagSession|SetSourceIdentity))\b/.exec(message)?.[1];
  if (action === undefined) return undefined;
  const key = action === "sts:TagSession" ? "`tags`" : "`source_identity`";
  return `allow ${action} in the role's trust policy and in the source's own policy, or remove ${key} from the profile`;
}

/** "The security token included in the request is invalid" is also what a token of the global endpoint gets. */
function unknownKeysHint({ keys, region }: CallDescription): string {
  const usual = "check that the source profile's keys exist, are active and belong to this partition";
  if (keys?.sessionToken === undefined || DEFAULT_REGION.test(region)) return usual;
  return (
    `get the source profile's keys from a regional endpoint (AWS_STS_REGIONAL_ENDPOINTS=regional): those of ` +
    `sts.amazonaws.com are not valid in the opt-in region ${region}; else ${usual}`
  );
}

const MFA_HINT =
  "check `mfa_serial` and what `mfa_command` prints; a code works once, so let other profiles chain from one " +
  "with identity = session instead of asking for codes of their own";

function refusedHint(message: string): string {
  if (/DurationSeconds|MaxSessionDuration/.test(message)) {
    return "lower `duration_seconds`, or raise the role's maximum session duration (a chained role has 3600 s at most)";
  }
  return "check the profile's keys in the config: STS rejects one of them";
}

const notSts = (call: CallDescription): string =>
  `check \`endpoint_url\`, AWS_ENDPOINT_URL_STS and any proxy between this host and ${call.where}: the server is not STS`;

/** The code without its suffix: `ExpiredTokenException` and `ExpiredToken` are the same fault. */
function codeOf(error: ServiceError): string {
  return error.name.replace(/Exception$/, "");
}

/** A copy without the SDK's `$response`, whose body may hold a token. */
function withoutResponse(error: ServiceError): Error {
  const copy = new Error(redact(error.message));
  copy.name = error.name;
  return copy;
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "$fault" in error && "$metadata" in error;
}
