import { listParameter, StsError } from "./query-protocol.ts";
import { splitArn, type SandboxRole } from "./realm.ts";

/** The parameters that both AssumeRole actions share, checked as STS checks them. */
export interface RoleRequest {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly durationSeconds: number;
  /** Percent of the allotted space; undefined without session policies and tags. */
  readonly packedPolicySize: number | undefined;
}

/** A constraint of the service model, with the name that messages use. */
interface Constraint {
  readonly parameter: string;
  readonly min: number;
  readonly max: number;
  readonly pattern?: RegExp;
  /** AWS does not repeat values that its model marks as sensitive. */
  readonly isSensitive?: boolean;
}

const MODEL: readonly Constraint[] = [
  { parameter: "RoleArn", min: 20, max: 2048 },
  { parameter: "RoleSessionName", min: 2, max: 64, pattern: /^[\w+=,.@-]*$/ },
  { parameter: "WebIdentityToken", min: 4, max: 20_000, isSensitive: true },
  { parameter: "ExternalId", min: 2, max: 1224, pattern: /^[\w+=,.@:/-]*$/ },
  { parameter: "SourceIdentity", min: 2, max: 64, pattern: /^[\w+=,.@-]*$/ },
];

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

function brokenConstraints(constraint: Constraint, value: string): readonly string[] {
  const where = constraint.isSensitive === true ? "Value" : `Value '${value}'`;
  const start = `${where} at '${lowerFirst(constraint.parameter)}' failed to satisfy constraint: Member must`;
  const broken: string[] = [];
  if (constraint.pattern?.test(value) === false) {
    broken.push(`${start} satisfy regular expression pattern: ${constraint.pattern.source.slice(1, -1)}`);
  }
  const length = Array.from(value).length;
  if (length < constraint.min) broken.push(`${start} have length greater than or equal to ${constraint.min}`);
  if (length > constraint.max) broken.push(`${start} have length less than or equal to ${constraint.max}`);
  return broken;
}

function readDuration(text: string): { readonly seconds: number; readonly broken: readonly string[] } {
  if (!/^[+-]?\d{1,10}$/.test(text)) throw new StsError("MalformedInput", "missing value for decimal type");
  const seconds = Number(text);
  const start = `Value '${seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value`;
  const broken: string[] = [];
  if (seconds < 900) broken.push(`${start} greater than or equal to 900`);
  if (seconds > 43_200) broken.push(`${start} less than or equal to 43200`);
  return { seconds, broken };
}

function packedSize(parameters: ReadonlyMap<string, string>): number | undefined {
  const policy = parameters.get("Policy");
  const arns = listParameter(parameters, "PolicyArns", ".arn");
  const tags = [...listParameter(parameters, "Tags", ".Key"), ...listParameter(parameters, "Tags", ".Value")];
  if (policy === undefined && arns.length === 0 && tags.length === 0) return undefined;
  if (policy !== undefined) checkPolicy(policy);
  if (arns.length > 10) throw new StsError("ValidationError", "The number of policy ARNs exceeds the limit of 10.");
  // AWS packs into a binary format that it does not publish; 2048 characters fill it here.
  const size = Math.ceil(([policy ?? "", ...arns, ...tags].join("").length / 2048) * 100);
  if (size > 100) {
    throw new StsError(
      "PackedPolicyTooLarge",
      `Packed policy consumes ${size}% of allotted space, please use smaller policy.`,
    );
  }
  return size;
}

function checkPolicy(text: string): void {
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch {
    throw new StsError("MalformedPolicyDocument", "This policy contains invalid Json");
  }
  if (typeof policy !== "object" || policy === null || !("Statement" in policy)) {
    throw new StsError("MalformedPolicyDocument", "Syntax errors in policy.");
  }
}

/**
 * Checks the parameters in the order in which STS does: the model's constraints, all in one message; the role's ARN; the
 * session policy.
 *
 * @throws StsError
 */
export function readRoleRequest(parameters: ReadonlyMap<string, string>, required: readonly string[]): RoleRequest {
  const broken = required
    .filter((name) => !parameters.has(name))
    .map((name) => `Value null at '${lowerFirst(name)}' failed to satisfy constraint: Member must not be null`);
  for (const constraint of MODEL) {
    const value = parameters.get(constraint.parameter);
    if (value !== undefined) broken.push(...brokenConstraints(constraint, value));
  }
  const duration = readDuration(parameters.get("DurationSeconds") ?? "3600");
  broken.push(...duration.broken);
  if (broken.length > 0) {
    const count = broken.length === 1 ? "1 validation error" : `${broken.length} validation errors`;
    throw new StsError("ValidationError", `${count} detected: ${broken.join("; ")}`);
  }
  const roleArn = parameters.get("RoleArn") ?? "";
  if (!roleArn.startsWith("arn:")) throw new StsError("ValidationError", `${roleArn} is invalid`);
  if (splitArn(roleArn) === undefined || !roleArn.includes(":role/")) {
    throw new StsError("ValidationError", "Request ARN is invalid");
  }
  return {
    roleArn,
    sessionName: parameters.get("RoleSessionName") ?? "",
    durationSeconds: duration.seconds,
    packedPolicySize: packedSize(parameters),
  };
}

/**
 * The limits that depend on who asks for what: the role's own maximum, then one hour for a chained role.
 *
 * @throws StsError
 */
export function checkDuration(request: RoleRequest, role: SandboxRole, isChained: boolean): void {
  if (request.durationSeconds > (role.maxSessionDuration ?? 3600)) {
    throw new StsError(
      "ValidationError",
      "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    );
  }
  if (isChained && request.durationSeconds > 3600) {
    throw new StsError(
      "ValidationError",
      "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    );
  }
}
