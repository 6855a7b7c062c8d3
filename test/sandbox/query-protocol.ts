import { randomBytes, randomUUID } from "node:crypto";
import type { Reply } from "./reply.ts";

/**
 * AWS's Query protocol as STS speaks it: parameters from a form or a query string in, XML out.
 * Wording and codes: STS API reference ("Errors" of each action, "Common Error Types") and answers quoted in public bug
 * reports.
 */

const NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";
/** Errors found before an action is known come in this one. */
const FAULT_NAMESPACE = "http://webservices.amazon.com/AWSFault/2005-15-09";

/** HTTP statuses of the errors that STS answers, from its service model and "Common Error Types". */
const STATUS = {
  AccessDenied: 403,
  ExpiredToken: 403,
  ExpiredTokenException: 400,
  IDPCommunicationError: 400,
  IDPRejectedClaim: 403,
  IncompleteSignature: 403,
  InternalFailure: 500,
  InvalidAction: 400,
  InvalidClientTokenId: 403,
  InvalidIdentityToken: 400,
  MalformedInput: 400,
  MalformedPolicyDocument: 400,
  MissingAction: 400,
  MissingAuthenticationToken: 403,
  PackedPolicyTooLarge: 400,
  RegionDisabledException: 403,
  RequestExpired: 400,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  Throttling: 400,
  ValidationError: 400,
} as const;

export type StsErrorCode = keyof typeof STATUS;

export const isStsErrorCode = (text: string): text is StsErrorCode => Object.hasOwn(STATUS, text);

/** A refusal by STS, with AWS's code and wording. */
export class StsError extends Error {
  override readonly name = "StsError";
  readonly code: StsErrorCode;

  constructor(code: StsErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The messages that AWS itself sends with a code, for faults that name only the code. */
export const USUAL_MESSAGE: Readonly<Record<StsErrorCode, string>> = {
  AccessDenied: "Not authorized to perform sts:AssumeRoleWithWebIdentity",
  ExpiredToken: "The security token included in the request is expired",
  ExpiredTokenException:
    "Token expired: current date/time 1731098245 must be before the expiration date/time 1731095240",
  IDPCommunicationError: "The identity provider could not be reached to verify the incoming identity token",
  IDPRejectedClaim: "The identity provider reported that authentication failed",
  IncompleteSignature: "The request signature does not conform to AWS standards.",
  InternalFailure: "The request processing has failed because of an unknown error, exception or failure.",
  InvalidAction: "Could not find operation Nothing for version 2011-06-15",
  InvalidClientTokenId: "The security token included in the request is invalid.",
  // The double space is AWS's own: aws/aws-sdk-js-v3 issue 3052.
  InvalidIdentityToken:
    "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
  MalformedInput: "missing value for decimal type",
  MalformedPolicyDocument: "This policy contains invalid Json",
  MissingAction: "The request is missing an action or a required parameter.",
  MissingAuthenticationToken: "Request is missing Authentication Token",
  PackedPolicyTooLarge: "Packed policy consumes 112% of allotted space, please use smaller policy.",
  // turbot/steampipe-plugin-aws issue 1510
  RegionDisabledException:
    "STS is not activated in this region for account:123412341234. Your account administrator can activate STS in this region using the IAM Console.",
  RequestExpired: "Request has expired",
  ServiceUnavailable: "The request has failed due to a temporary failure of the server.",
  SignatureDoesNotMatch:
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
  Throttling: "Rate exceeded",
  ValidationError: "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
};

/**
 * Text for an XML element. Control characters go as character references: a raw CR would be normalised away, and a
 * hostile value must reach the client as it is.
 */
const escapeXml = (text: string): string =>
  text.replaceAll(/[&<>]|\p{Cc}/gu, (character) => {
    if (character === "&") return "&amp;";
    if (character === "<") return "&lt;";
    if (character === ">") return "&gt;";
    return `&#x${character.codePointAt(0)?.toString(16).toUpperCase()};`;
  });

/** An element's content; undefined values are left out. */
export interface XmlTree {
  readonly [name: string]: string | XmlTree | undefined;
}

function renderXml(tree: XmlTree, indent: string): string {
  return Object.entries(tree)
    .map(([name, value]) => {
      if (value === undefined) return "";
      if (typeof value === "string") return `${indent}<${name}>${escapeXml(value)}</${name}>\n`;
      return `${indent}<${name}>\n${renderXml(value, `${indent}  `)}${indent}</${name}>\n`;
    })
    .join("");
}

function reply(status: number, root: string, namespace: string, tree: XmlTree, requestId: string, now: Date): Reply {
  return {
    status,
    headers: {
      "x-amzn-RequestId": requestId,
      "x-amz-sts-extended-request-id": randomBytes(24).toString("base64"),
      "Content-Type": "text/xml",
      Date: now.toUTCString(),
    },
    body: `<${root} xmlns="${namespace}">\n${renderXml(tree, "  ")}</${root}>\n`,
  };
}

export function renderResult(action: string, result: XmlTree, now: Date): Reply {
  const requestId = randomUUID();
  const tree = { [`${action}Result`]: result, ResponseMetadata: { RequestId: requestId } };
  return reply(200, `${action}Response`, NAMESPACE, tree, requestId, now);
}

/** @param status instead of the one that AWS's documentation gives for the code. */
export function renderError(error: StsError, now: Date, status: number = STATUS[error.code]): Reply {
  const requestId = randomUUID();
  const tree = {
    Error: { Type: status >= 500 ? "Receiver" : "Sender", Code: error.code, Message: error.message },
    RequestId: requestId,
  };
  const namespace = error.code === "InvalidAction" || error.code === "MissingAction" ? FAULT_NAMESPACE : NAMESPACE;
  return reply(status, "ErrorResponse", namespace, tree, requestId, now);
}

/** Parameters of a request; of a name given twice the first counts, as at AWS. */
export function parseParameters(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) if (!parameters.has(name)) parameters.set(name, value);
  return parameters;
}

/** The values of a list: `NAME.member.1`, `NAME.member.1.SUFFIX`, … in order, up to the first gap. */
export function listParameter(parameters: ReadonlyMap<string, string>, name: string, suffix = ""): readonly string[] {
  const values: string[] = [];
  for (;;) {
    const value = parameters.get(`${name}.member.${values.length + 1}${suffix}`);
    if (value === undefined) return values;
    values.push(value);
  }
}
