/** IAM role trust policies as `trust-policy` writes them; `document.ts` reads those that others wrote. */

/**
 * A value or a list of them: IAM takes both wherever it takes one (IAM User Guide, "Grammar of the IAM JSON policy
 * language").
 */
export type OneOrMore = string | readonly string[];

/** One statement of a policy that we write; keys in IAM's own order and spelling, because it is printed as it is. */
export interface PolicyStatement {
  readonly Effect: "Allow";
  readonly Principal: { readonly Federated: string } | { readonly AWS: string };
  readonly Action: OneOrMore;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, OneOrMore>>>>;
}

/** A policy as IAM takes it, to be printed as JSON. */
export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly PolicyStatement[];
}

/** A single value stands alone, as people write it. */
export function oneOrMore(values: readonly string[]): OneOrMore {
  const [first] = values;
  return values.length === 1 && first !== undefined ? first : values;
}

/** The values of either form. */
export function listOf(values: OneOrMore): readonly string[] {
  return typeof values === "string" ? [values] : values;
}
