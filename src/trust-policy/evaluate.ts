import type { ReadCondition, ReadStatement } from "./document.ts";
import { holds, isLike } from "./operators.ts";
import { GOOGLE, type TrustRequest } from "./trust-request.ts";

/** One reason why a policy refuses the request. */
export interface PolicyFinding {
  /** Counted from 1. */
  readonly statement: number;
  readonly sid: string | undefined;
  readonly effect: "Allow" | "Deny";
  /** `Effect`: a Deny that applies. */
  readonly element: "Action" | "Principal" | "Condition" | "Effect";
  readonly operator: string | undefined;
  readonly key: string | undefined;
  /** What the policy says. */
  readonly expected: readonly string[];
  /** What the request has; undefined when it has nothing of the kind. */
  readonly actual: readonly string[] | undefined;
  /** All of it in one sentence, without capital and period. */
  readonly message: string;
}

/** Whether a policy allows the request. */
export interface Verdict {
  readonly accepted: boolean;
  /** Why not; empty when accepted. */
  readonly findings: readonly PolicyFinding[];
}

/**
 * Whether a trust policy lets a request in: for each of its actions some Allow applies and no Deny does (IAM User Guide,
 * "Policy evaluation logic": an explicit Deny wins). What is not supported counts against the request: as not met in
 * an Allow, as met in a Deny.
 */
export function evaluate(statements: readonly ReadStatement[], request: TrustRequest): Verdict {
  const findings: PolicyFinding[] = [];
  for (const action of request.actions) {
    const denied = statements
      .filter((statement) => statement.effect === "Deny")
      .flatMap((statement) => denial(statement, action, request) ?? []);
    findings.push(...denied);
    const misses = statements
      .filter((statement) => statement.effect === "Allow")
      .map((statement) => shortfall(statement, action, request));
    if (misses.some((miss) => miss.length === 0)) continue;
    if (misses.length === 0) findings.push(noAllow(action));
    findings.push(...misses.flat());
  }
  const unique = new Map(findings.map((finding) => [`${finding.statement} ${finding.message}`, finding]));
  return { accepted: findings.length === 0, findings: [...unique.values()] };
}

function noAllow(action: string): PolicyFinding {
  const message = `no statement allows ${action}`;
  return {
    statement: 1,
    sid: undefined,
    effect: "Allow",
    element: "Action",
    operator: undefined,
    key: undefined,
    expected: [],
    actual: [action],
    message,
  };
}

/** Everything in an Allow that the request does not meet; empty when the statement applies. */
function shortfall(statement: ReadStatement, action: string, request: TrustRequest): readonly PolicyFinding[] {
  const { number, sid, effect } = statement;
  const base = { statement: number, sid, effect, operator: undefined, key: undefined };
  const found: PolicyFinding[] = [];
  if (!coversAction(statement, action)) {
    const { kind, patterns } = statement.action;
    const message = `${kind === "listed" ? "Action" : "NotAction"} is ${quoted(patterns)}, which does not allow ${action}`;
    found.push({ ...base, element: "Action", expected: patterns, actual: [action], message });
  }
  const principal = namesCaller(statement, request);
  if (principal !== "true") {
    const expected = principalsOf(statement);
    const [name = ""] = request.names;
    const message =
      principal === "unknown"
        ? "NotPrincipal is not supported here and counts as not met"
        : `Principal is ${quoted(expected)}, the caller is ${request.kind} '${name}'${whyPrincipal(expected, request)}`;
    found.push({ ...base, element: "Principal", expected, actual: request.names, message });
  }
  for (const condition of statement.conditions) {
    const actual = request.context.get(condition.key.toLowerCase());
    const truth = holds(condition.operator, condition.values, actual);
    if (truth === "true") continue;
    const message = truth === "unknown" ? notUnderstood(condition) : notMet(condition, actual, request);
    const { operator, key, values } = condition;
    found.push({ ...base, element: "Condition", operator, key, expected: values, actual, message });
  }
  return found;
}

/** The finding for a Deny that applies, or may apply as far as it is understood. */
function denial(statement: ReadStatement, action: string, request: TrustRequest): PolicyFinding | undefined {
  const principal = namesCaller(statement, request);
  if (!coversAction(statement, action) || principal === "false") return undefined;
  const truths = statement.conditions.map(({ operator, key, values }) =>
    holds(operator, values, request.context.get(key.toLowerCase())),
  );
  if (truths.includes("false")) return undefined;
  const doubtful = statement.conditions.filter((_, index) => truths[index] === "unknown").map(notUnderstood);
  if (principal === "unknown") doubtful.push("NotPrincipal is not supported here");
  const message =
    doubtful.length === 0
      ? `it denies ${action}, and a Deny beats every Allow`
      : `it may deny ${action}: ${doubtful.join("; ")}`;
  return {
    statement: statement.number,
    sid: statement.sid,
    effect: "Deny",
    element: "Effect",
    operator: undefined,
    key: undefined,
    expected: [],
    actual: [action],
    message,
  };
}

function coversAction(statement: ReadStatement, action: string): boolean {
  const { kind, patterns } = statement.action;
  return patterns.some((pattern) => isLike(pattern, action, "i")) === (kind === "listed");
}

function namesCaller(statement: ReadStatement, request: TrustRequest): "true" | "false" | "unknown" {
  const { principal } = statement;
  if (principal.kind === "any") return "true";
  if (principal.kind === "all-but") return "unknown";
  const listed = principal.byType.get(request.kind) ?? [];
  return listed.some((name) => name === "*" || request.names.includes(name)) ? "true" : "false";
}

function principalsOf(statement: ReadStatement): readonly string[] {
  return statement.principal.kind === "any"
    ? ["*"]
    : [...statement.principal.byType].flatMap(([type, names]) => names.map((name) => `${type} ${name}`));
}

function whyPrincipal(expected: readonly string[], request: TrustRequest): string {
  if (request.names[0] === GOOGLE && expected.some((name) => name.endsWith(`:oidc-provider/${GOOGLE}`))) {
    return `; Google is built in: write "Federated": "${GOOGLE}" and delete the OIDC provider`;
  }
  if (request.kind === "AWS" && expected.some((name) => /^AWS A(ROA|IDA)[A-Z0-9]{17}$/.test(name))) {
    return "; an ID in place of an ARN means that the role or user was deleted; a new one of the same name does not match";
  }
  return "";
}

function notUnderstood({ operator, key, values }: ReadCondition): string {
  const variable = values.find((value) => /\$\{(?![*?$]\})/.test(value));
  const what = variable === undefined ? `the operator ${operator}` : `the variable in '${variable}'`;
  return `Condition ${operator} ${key}: ${what} is not supported here and counts against the request`;
}

function notMet(condition: ReadCondition, actual: readonly string[] | undefined, request: TrustRequest): string {
  const { operator, key, values } = condition;
  const has = request.kind === "Federated" ? "the token has" : "the request has";
  const start = `Condition ${operator} ${key}: the policy requires ${quoted(values)}`;
  if (actual === undefined) return `${start}, ${has} no such key`;
  return `${start}, ${has} ${quoted(actual)}${whyCondition(condition, request)}`;
}

/** For Google the token's audience is `:oaud`; `:aud` is the requester. */
function whyCondition({ key, values }: ReadCondition, request: TrustRequest): string {
  if (key.toLowerCase() !== `${GOOGLE}:aud`) return "";
  const audience = request.context.get(`${GOOGLE}:oaud`) ?? [];
  if (values.some((value) => audience.includes(value))) {
    return `; AWS compares ${GOOGLE}:aud with the token's azp: the audience belongs under ${GOOGLE}:oaud`;
  }
  return values.some((value) => value.includes("@"))
    ? "; the e-mail address is in azp only for key files and impersonation with useEmailAzp"
    : "";
}

function quoted(values: readonly string[]): string {
  return values.length === 0 ? "nothing" : values.map((value) => `'${value}'`).join(" or ");
}
