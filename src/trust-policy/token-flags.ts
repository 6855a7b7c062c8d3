/** The values of `--format`. */
export const POLICY_FORMATS = ["json", "terraform", "cloudformation"] as const;
/** How a policy is printed: as IAM's JSON, as a Terraform data source, or as part of a CloudFormation template. */
export type PolicyFormat = (typeof POLICY_FORMATS)[number];

/** The claims of an identity token, from the command line instead of from a token. */
export interface TokenFlags {
  readonly subject: string;
  readonly audience: string | undefined;
  readonly authorizedParty: string | undefined;
  readonly issuer: string | undefined;
}
