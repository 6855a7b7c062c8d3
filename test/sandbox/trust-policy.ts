/**
 * IAM role trust policies, as far as STS needs them: principals, actions, conditions, explicit deny.
 *
 * Sources: IAM User Guide "AWS JSON policy elements: Principal", "IAM JSON policy elements: Condition operators",
 * "Policy evaluation logic" (an explicit Deny wins), "IAM and AWS STS condition context keys".
 */

type OneOrMore = string | readonly string[];

export interface TrustStatement {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal: "*" | Readonly<Record<string, OneOrMore>>;
  readonly Action: OneOrMore;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, OneOrMore | boolean>>>>;
}

/** The JSON that `aws iam get-role` shows as `AssumeRolePolicyDocument`. */
export interface TrustPolicy {
  readonly Version?: string;
  readonly Statement: TrustStatement | readonly TrustStatement[];
}

/** The caller as a policy sees it: every string that a `Principal` element of its kind may name it by. */
export interface Caller {
  readonly kind: "AWS" | "Federated";
  readonly names: readonly string[];
}

/** Context keys of one request, in lower case: IAM compares key names without case. */
export type RequestContext = ReadonlyMap<string, readonly string[]>;

const listOf = (value: OneOrMore): readonly string[] => (typeof value === "string" ? [value] : value);

/** IAM's wildcards: `*` any run, `?` one character; everything else is literal. */
function isLike(pattern: string, value: string, flags = ""): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^]*")
    .replaceAll("?", "[^]");
  return new RegExp(`^${source}$`, flags).test(value);
}

type Comparison = (expected: string, actual: string) => boolean;

const sameCase: Comparison = (expected, actual) => expected === actual;
const anyCase: Comparison = (expected, actual) => expected.toLowerCase() === actual.toLowerCase();

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  StringEquals: sameCase,
  StringEqualsIgnoreCase: anyCase,
  StringLike: (expected, actual) => isLike(expected, actual),
  ArnEquals: (expected, actual) => isLike(expected, actual),
  ArnLike: (expected, actual) => isLike(expected, actual),
  Bool: anyCase,
};

/** `StringNotEquals` and its kin are true when the key is absent. */
const NEGATIONS: Readonly<Record<string, Comparison>> = {
  StringNotEquals: sameCase,
  StringNotEqualsIgnoreCase: anyCase,
  StringNotLike: (expected, actual) => isLike(expected, actual),
  ArnNotEquals: (expected, actual) => isLike(expected, actual),
  ArnNotLike: (expected, actual) => isLike(expected, actual),
};

function holds(operator: string, expected: readonly string[], actual: readonly string[] | undefined): boolean {
  const [, qualifier, name = "", ifExists] = /^(ForAnyValue:|ForAllValues:)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
  if (name === "Null") return (actual === undefined) === (expected[0] === "true");
  if (ifExists !== undefined && actual === undefined) return true;
  const positive = COMPARISONS[name];
  const negative = NEGATIONS[name];
  if (positive === undefined && negative === undefined)
    throw new TypeError(`condition operator not known: ${operator}`);
  if (actual === undefined) return qualifier === "ForAllValues:" || (negative !== undefined && qualifier === undefined);
  const matches = (value: string): boolean =>
    positive === undefined
      ? !expected.some((wanted) => negative?.(wanted, value) === true)
      : expected.some((wanted) => positive(wanted, value));
  const forAll = qualifier === "ForAllValues:" || (qualifier === undefined && negative !== undefined);
  return forAll ? actual.every(matches) : actual.some(matches);
}

function namesCaller(principal: TrustStatement["Principal"], caller: Caller): boolean {
  if (principal === "*") return true;
  return listOf(principal[caller.kind] ?? []).some((name) => name === "*" || caller.names.includes(name));
}

function applies(statement: TrustStatement, action: string, caller: Caller, context: RequestContext): boolean {
  if (!listOf(statement.Action).some((pattern) => isLike(pattern, action, "i"))) return false;
  if (!namesCaller(statement.Principal, caller)) return false;
  return Object.entries(statement.Condition ?? {}).every(([operator, block]) =>
    Object.entries(block).every(([key, value]) => {
      const expected = typeof value === "boolean" ? [String(value)] : listOf(value);
      return holds(operator, expected, context.get(key.toLowerCase()));
    }),
  );
}

/**
 * Whether the policy lets the caller perform the action: some Allow applies and no Deny does.
 *
 * @throws TypeError for a condition operator that this evaluator does not know, rather than guessing.
 */
export function allows(policy: TrustPolicy, action: string, caller: Caller, context: RequestContext): boolean {
  const statements = "Effect" in policy.Statement ? [policy.Statement] : policy.Statement;
  const applicable = statements.filter((statement) => applies(statement, action, caller, context));
  return (
    applicable.some((statement) => statement.Effect === "Allow") &&
    !applicable.some((statement) => statement.Effect === "Deny")
  );
}
