import { Failure } from "../base/failure.ts";

/** Reads trust policies that others wrote: unvalidated JSON. */

/**
 * One key of one condition operator; several values are alternatives (IAM User Guide, "Conditions with multiple
 * context keys or values").
 */
export interface ReadCondition {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

/** One statement, with lists where IAM takes a string or a list. */
export interface ReadStatement {
  /** Counted from 1, as people count. */
  readonly number: number;
  readonly sid: string | undefined;
  readonly effect: "Allow" | "Deny";
  /** `any` is `"*"`; `all-but` is `NotPrincipal`. */
  readonly principal:
    | { readonly kind: "any" }
    | { readonly kind: "listed" | "all-but"; readonly byType: ReadonlyMap<string, readonly string[]> };
  /** `all-but` is `NotAction`. */
  readonly action: { readonly kind: "listed" | "all-but"; readonly patterns: readonly string[] };
  readonly conditions: readonly ReadCondition[];
}

type Json = Readonly<Record<string, unknown>>;

const HINT = "pass the policy's JSON, or the output of 'aws iam get-role --role-name NAME'";

/**
 * Reads a trust policy: its JSON, the whole response of `aws iam get-role` (or `list-roles`' element), and the URL-encoded
 * form in which IAM's API sends it (https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html: "URL-encoded
 * JSON compliant with RFC 3986").
 *
 * @param describe what is read, for messages
 * @throws Failure POLICY_MALFORMED
 */
export function parseTrustPolicy(text: string, describe: string): readonly ReadStatement[] {
  const malformed = (what: string): Failure => new Failure("POLICY_MALFORMED", `${describe} ${what}`, { hint: HINT });
  const policy = unwrap(parseJson(text.replace(/^\uFEFF/, "").trim(), malformed), malformed);
  const given = policy["Statement"];
  if (given === undefined) throw malformed("is not a trust policy: it has no Statement");
  const statements = Array.isArray(given) ? given : [given];
  return statements.map((statement: unknown, index) => readStatement(statement, index + 1, malformed));
}

type Malformed = (what: string) => Failure;

function parseJson(text: string, malformed: Malformed): unknown {
  if (text === "") throw malformed("is empty");
  try {
    // Raw URL-encoded JSON begins with an encoded brace; JSON never does.
    return JSON.parse(/^%(7B|22|5B)/i.test(text) ? decodeURIComponent(text) : text);
  } catch {
    throw malformed("is not JSON");
  }
}

/** The policy inside a response of `get-role`, or inside a string. */
function unwrap(value: unknown, malformed: Malformed, depth = 0): Json {
  if (typeof value === "string" && depth < 4) return unwrap(parseJson(value.trim(), malformed), malformed, depth + 1);
  if (!isObject(value)) throw malformed("is not a JSON object");
  const inner = value["Role"] ?? value["AssumeRolePolicyDocument"];
  return inner === undefined || depth >= 4 ? value : unwrap(inner, malformed, depth + 1);
}

function readStatement(value: unknown, number: number, malformed: Malformed): ReadStatement {
  const bad = (what: string): Failure => malformed(`is not valid: statement ${number} ${what}`);
  if (!isObject(value)) throw bad("is not an object");
  const { Effect: effect, Sid: sid } = value;
  if (effect !== "Allow" && effect !== "Deny") throw bad('needs "Effect": "Allow" or "Deny"');
  return {
    number,
    sid: typeof sid === "string" && sid !== "" ? sid : undefined,
    effect,
    principal: readPrincipal(value, bad),
    action: readAction(value, bad),
    conditions: readConditions(value["Condition"], bad),
  };
}

function readPrincipal(statement: Json, bad: Malformed): ReadStatement["principal"] {
  const kind = statement["Principal"] === undefined ? "all-but" : "listed";
  const given = statement["Principal"] ?? statement["NotPrincipal"];
  if (given === undefined) throw bad("has no Principal");
  if (given === "*") return kind === "listed" ? { kind: "any" } : { kind, byType: new Map([["AWS", ["*"]]]) };
  if (!isObject(given)) throw bad('has a Principal that is neither "*" nor an object');
  const byType = new Map<string, readonly string[]>();
  for (const [type, names] of Object.entries(given)) {
    const list = toList(names);
    if (list === undefined) throw bad(`has a Principal ${type} that is not a string or a list of strings`);
    byType.set(type, list);
  }
  return { kind, byType };
}

function readAction(statement: Json, bad: Malformed): ReadStatement["action"] {
  const kind = statement["Action"] === undefined ? "all-but" : "listed";
  const patterns = toList(statement["Action"] ?? statement["NotAction"]);
  if (patterns === undefined) throw bad("needs an Action: a string or a list of strings");
  return { kind, patterns };
}

function readConditions(given: unknown, bad: Malformed): readonly ReadCondition[] {
  if (given === undefined) return [];
  if (!isObject(given)) throw bad("has a Condition that is not an object");
  return Object.entries(given).flatMap(([operator, block]) => {
    if (!isObject(block)) throw bad(`has a Condition ${operator} that is not an object`);
    return Object.entries(block).map(([key, value]) => {
      const values = toList(value);
      if (values === undefined) throw bad(`has a Condition ${operator} ${key} that is not a string or a list`);
      return { operator, key, values };
    });
  });
}

/** IAM accepts numbers and booleans for strings, alone or in lists. */
function toList(value: unknown): readonly string[] | undefined {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  const texts = values.flatMap((one) =>
    typeof one === "string" || typeof one === "boolean" || typeof one === "number" ? [String(one)] : [],
  );
  return texts.length === values.length ? texts : undefined;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
