import type { Fault } from "./fault.ts";
import { listParameter, StsError, type XmlTree } from "./query-protocol.ts";
import { issueKeys, splitArn, uniqueId, type Principal, type Realm, type SandboxRole } from "./realm.ts";
import { renderRoleAnswer, toExpiration } from "./role-answer.ts";
import { checkDuration, readRoleRequest, type RoleRequest } from "./role-request.ts";
import { checkMfa } from "./session-token.ts";
import { allows, type Caller, type RequestContext } from "./trust-policy.ts";

/** GetCallerIdentity: who the signature proves; needs no permission. */
export function getCallerIdentity(principal: Principal): XmlTree {
  return { Arn: principal.arn, UserId: principal.userId, Account: principal.account };
}

/** What a session inherits or is given beside its role. */
export interface SessionContext {
  readonly sourceIdentity?: string | undefined;
  readonly transitiveTags?: ReadonlyMap<string, string>;
}

/** Makes the session of a role and its part of the answer. */
export function openSession(
  realm: Realm,
  role: SandboxRole,
  request: RoleRequest,
  context: SessionContext,
  fault: Fault | undefined,
): ReturnType<typeof renderRoleAnswer> {
  const parts = splitArn(role.arn);
  if (parts === undefined) throw new TypeError(`not the ARN of a role: ${role.arn}`);
  const arn = `arn:${parts.partition}:sts::${parts.account}:assumed-role/${parts.name}/${request.sessionName}`;
  const userId = `${uniqueId("AROA", role.arn)}:${request.sessionName}`;
  const principal = {
    arn,
    userId,
    account: parts.account,
    roleArn: role.arn,
    sourceIdentity: context.sourceIdentity,
    transitiveTags: context.transitiveTags ?? new Map<string, string>(),
  };
  const keys = issueKeys(realm, principal, request.durationSeconds);
  const answer = {
    accessKeyId: keys.accessKeyId,
    secretAccessKey: keys.secretAccessKey,
    sessionToken: keys.sessionToken,
    expiration: toExpiration(keys.expiresAt),
    assumedRoleId: userId,
    arn,
  };
  return renderRoleAnswer(answer, fault, realm.now());
}

/**
 * The names by which a trust policy may mean this caller: itself, its role, or its account (whose own policies are taken
 * to allow the call). Source: IAM User Guide "AWS JSON policy elements: Principal".
 */
function callerOf(principal: Principal): Caller {
  const partition = principal.arn.split(":", 2)[1] ?? "aws";
  const names = [principal.arn, principal.account, `arn:${partition}:iam::${principal.account}:root`];
  return { kind: "AWS", names: principal.roleArn === undefined ? names : [...names, principal.roleArn] };
}

function readTags(parameters: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const values = listParameter(parameters, "Tags", ".Value");
  const tags = listParameter(parameters, "Tags", ".Key").map((key, index) => [key, values[index] ?? ""] as const);
  if (new Set(tags.map(([key]) => key.toLowerCase())).size < tags.length) {
    throw new StsError("ValidationError", "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  }
  if (tags.length > 50) throw new StsError("ValidationError", "The number of session tags exceeds the limit of 50.");
  return new Map(tags);
}

function contextOf(
  principal: Principal,
  parameters: ReadonlyMap<string, string>,
  tags: ReadonlyMap<string, string>,
  sourceIdentity: string | undefined,
  hasMfa: boolean,
): RequestContext {
  const context = new Map<string, readonly string[]>([
    ["aws:principalarn", [principal.roleArn ?? principal.arn]],
    ["aws:principalaccount", [principal.account]],
    ["sts:rolesessionname", [parameters.get("RoleSessionName") ?? ""]],
    // Set for temporary keys and for a call with a code; absent for long-lived keys alone (IAM User Guide, "Global keys").
    ["aws:multifactorauthpresent", [String(hasMfa)]],
  ]);
  const externalId = parameters.get("ExternalId");
  if (externalId !== undefined) context.set("sts:externalid", [externalId]);
  if (sourceIdentity !== undefined) context.set("sts:sourceidentity", [sourceIdentity]);
  if (tags.size > 0) context.set("aws:tagkeys", [...tags.keys()]);
  for (const [key, value] of tags) context.set(`aws:requesttag/${key.toLowerCase()}`, [value]);
  return context;
}

/** AssumeRole by the principal that signed the request. */
export function assumeRole(
  realm: Realm,
  principal: Principal,
  parameters: ReadonlyMap<string, string>,
  fault: Fault | undefined,
): XmlTree {
  const request = readRoleRequest(parameters, ["RoleArn", "RoleSessionName"]);
  const own = readTags(parameters);
  const tags = new Map([...principal.transitiveTags, ...own]);
  const asked = parameters.get("SourceIdentity");
  if (asked !== undefined && principal.sourceIdentity !== undefined && asked !== principal.sourceIdentity) {
    throw new StsError("ValidationError", "The source identity is already set for this assume role session");
  }
  const sourceIdentity = principal.sourceIdentity ?? asked;
  const transitiveKeys = listParameter(parameters, "TransitiveTagKeys");
  const unknownKey = transitiveKeys.find((key) => !own.has(key));
  if (unknownKey !== undefined) {
    throw new StsError("ValidationError", `The transitive tag key ${unknownKey} is not among the session tags.`);
  }

  const role = realm.roles.get(request.roleArn);
  const hasMfa = checkMfa(realm, principal.arn, parameters) || principal.hasMfa === true;
  const context = contextOf(principal, parameters, tags, sourceIdentity, hasMfa);
  const need = (action: string): SandboxRole => {
    // A role that does not exist and one that may not be assumed look the same from outside.
    if (role !== undefined && allows(role.trustPolicy, action, callerOf(principal), context)) return role;
    throw new StsError(
      "AccessDenied",
      `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${request.roleArn}`,
    );
  };
  const trusted = need("sts:AssumeRole");
  if (sourceIdentity !== undefined) need("sts:SetSourceIdentity");
  if (tags.size > 0) need("sts:TagSession");
  checkDuration(request, trusted, principal.roleArn !== undefined);

  const inherited = new Map([...principal.transitiveTags, ...[...own].filter(([key]) => transitiveKeys.includes(key))]);
  return {
    ...openSession(realm, trusted, request, { sourceIdentity, transitiveTags: inherited }, fault),
    SourceIdentity: sourceIdentity,
    PackedPolicySize: request.packedPolicySize?.toString(),
  };
}
