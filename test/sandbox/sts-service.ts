import { assumeRole, getCallerIdentity } from "./assume-role.ts";
import { authenticate } from "./authentication.ts";
import type { Fault } from "./fault.ts";
import type { ReceivedRequest } from "./loopback-server.ts";
import {
  parseParameters,
  renderError,
  renderResult,
  StsError,
  type StsErrorCode,
  USUAL_MESSAGE,
  type XmlTree,
} from "./query-protocol.ts";
import type { Realm } from "./realm.ts";
import type { CallOutcome, OpenCall, Reply } from "./reply.ts";
import { assumeRoleWithSaml } from "./saml.ts";
import { getSessionToken } from "./session-token.ts";
import { parseAuthorization } from "./sigv4.ts";
import { assumeRoleWithWebIdentity } from "./web-identity.ts";

/** The actions of STS that rolefresh and its proofs need. */
const ACTIONS = [
  "AssumeRoleWithWebIdentity",
  "AssumeRoleWithSAML",
  "AssumeRole",
  "GetSessionToken",
  "GetCallerIdentity",
];

const VERSION = "2011-06-15";

const SECRET_PARAMETERS = ["WebIdentityToken", "TokenCode", "SAMLAssertion"];

/** Parameters come as a form in a POST and as the query of a GET. */
export function parametersOf(request: ReceivedRequest): ReadonlyMap<string, string> {
  const query = request.target.split("?", 2)[1] ?? "";
  return parseParameters(request.method === "POST" ? request.body.toString("utf8") : query);
}

/** The part of the record that is known when the request arrives. */
export function recordOf(request: ReceivedRequest, parameters: ReadonlyMap<string, string>): OpenCall {
  const shown = [...parameters].map(
    ([name, value]) =>
      [name, SECRET_PARAMETERS.includes(name) ? `[redacted, ${value.length} characters]` : value] as const,
  );
  const duration = parameters.get("DurationSeconds");
  const [path = ""] = request.target.split("?", 1);
  return {
    service: "sts",
    action: parameters.get("Action") ?? path,
    target: path,
    method: request.method,
    parameters: Object.fromEntries(shown),
    roleArn: parameters.get("RoleArn"),
    sessionName: parameters.get("RoleSessionName"),
    durationSeconds: duration === undefined ? undefined : Number(duration),
    signed: request.headers.authorization !== undefined,
    signedBy: undefined,
    region: parseAuthorization(request.headers.authorization)?.region,
    userAgent: request.headers["user-agent"],
    status: undefined,
    errorCode: undefined,
  };
}

/** What AWS would say; a denial names the caller when the request is signed. */
function usualMessage(
  realm: Realm,
  request: ReceivedRequest,
  parameters: ReadonlyMap<string, string>,
  code: StsErrorCode,
): string {
  const action = parameters.get("Action");
  if (code !== "AccessDenied" || action === "AssumeRoleWithWebIdentity" || action === "AssumeRoleWithSAML")
    return USUAL_MESSAGE[code];
  const { arn } = authenticate(realm, request).principal;
  const resource = parameters.has("RoleArn") ? ` on resource: ${parameters.get("RoleArn")}` : "";
  return `User: ${arn} is not authorized to perform: sts:${action}${resource}`;
}

async function perform(
  realm: Realm,
  request: ReceivedRequest,
  parameters: ReadonlyMap<string, string>,
  fault: Fault | undefined,
  outcome: CallOutcome,
): Promise<XmlTree> {
  const action = parameters.get("Action");
  const version = parameters.get("Version") ?? VERSION;
  if (action === undefined || action === "") throw new StsError("MissingAction", USUAL_MESSAGE.MissingAction);
  const isKnown = ACTIONS.includes(action);
  if (!isKnown || version !== VERSION) {
    throw new StsError("InvalidAction", `Could not find operation ${action} for version ${version}`);
  }
  if (fault?.kind === "aws-error") {
    const message = fault.message ?? usualMessage(realm, request, parameters, fault.code);
    throw new StsError(fault.code, message);
  }
  if (action === "AssumeRoleWithWebIdentity") return assumeRoleWithWebIdentity(realm, parameters, fault);
  if (action === "AssumeRoleWithSAML") return assumeRoleWithSaml(realm, parameters, fault);
  const key = authenticate(realm, request);
  const { principal } = key;
  outcome.signedBy = principal.arn;
  if (action === "GetSessionToken") return getSessionToken(realm, key, parameters, fault);
  return action === "AssumeRole" ? assumeRole(realm, principal, parameters, fault) : getCallerIdentity(principal);
}

/** Answers one request to STS, and notes in `outcome` who was proved and what was refused. */
export async function answerSts(
  realm: Realm,
  request: ReceivedRequest,
  parameters: ReadonlyMap<string, string>,
  fault: Fault | undefined,
  outcome: CallOutcome,
): Promise<Reply> {
  try {
    const result = await perform(realm, request, parameters, fault, outcome);
    return renderResult(parameters.get("Action") ?? "", result, realm.now());
  } catch (error) {
    if (!(error instanceof StsError)) throw error;
    outcome.errorCode = error.code;
    return renderError(error, realm.now(), fault?.kind === "aws-error" ? fault.status : undefined);
  }
}
