/**
 * IAM's condition operators, as far as trust policies use them
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html).
 */

type Comparison = (expected: string, actual: string) => boolean;

const sameCase: Comparison = (expected, actual) => expected === actual;
const anyCase: Comparison = (expected, actual) => expected.toLowerCase() === actual.toLowerCase();

/** IAM's wildcards: `*` any run, `?` one character; everything else is literal. */
export function isLike(pattern: string, value: string, flags = ""): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    // A run of stars is one star; left as it is, it would take a regular expression exponential time.
    .replaceAll(/\*+/g, "[^]*")
    .replaceAll("?", "[^]");
  return new RegExp(`^${source}$`, flags).test(value);
}

const like: Comparison = (expected, actual) => isLike(expected, actual);

const COMPARISONS: ReadonlyMap<string, { readonly compare: Comparison; readonly negated: boolean }> = new Map([
  ["StringEquals", { compare: sameCase, negated: false }],
  ["StringNotEquals", { compare: sameCase, negated: true }],
  ["StringEqualsIgnoreCase", { compare: anyCase, negated: false }],
  ["StringNotEqualsIgnoreCase", { compare: anyCase, negated: true }],
  ["StringLike", { compare: like, negated: false }],
  ["StringNotLike", { compare: like, negated: true }],
  // ArnEquals and ArnLike behave the same.
  ["ArnEquals", { compare: like, negated: false }],
  ["ArnLike", { compare: like, negated: false }],
  ["ArnNotEquals", { compare: like, negated: true }],
  ["ArnNotLike", { compare: like, negated: true }],
  ["Bool", { compare: anyCase, negated: false }],
]);

/** `unknown`: an operator or a policy variable that is not supported here. */
export type Truth = "true" | "false" | "unknown";

/**
 * Whether a condition holds.
 *
 * - A key that is absent: false; true for negations, `…IfExists` and `ForAllValues:`.
 * - Several expected values are alternatives; for negations none of them may match.
 * - Several actual values: with `ForAllValues:` (and negations without qualifier) each must match, else any.
 */
export function holds(operator: string, expected: readonly string[], actual: readonly string[] | undefined): Truth {
  const [, qualifier, name = "", ifExists] = /^(ForAnyValue:|ForAllValues:)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
  if (name === "Null") return toTruth((actual === undefined) === (expected[0]?.toLowerCase() === "true"));
  const known = COMPARISONS.get(name);
  if (known === undefined) return "unknown";
  if (ifExists !== undefined && actual === undefined) return "true";
  const { compare, negated } = known;
  if (actual === undefined) return toTruth(qualifier === "ForAllValues:" || (negated && qualifier === undefined));
  // `${aws:…}` is filled in by AWS from a context that is not known here.
  if (expected.some((value) => /\$\{(?![*?$]\})/.test(value))) return "unknown";
  const matches = (value: string): boolean => expected.some((wanted) => compare(wanted, value)) !== negated;
  const forAll = qualifier === "ForAllValues:" || (qualifier === undefined && negated);
  return toTruth(forAll ? actual.every(matches) : actual.some(matches));
}

function toTruth(value: boolean): Truth {
  return value ? "true" : "false";
}
