import type { RoleArn } from "../config/config.ts";
import { listOf, type PolicyDocument, type PolicyStatement } from "./generate.ts";
import type { PolicyFormat } from "./token-flags.ts";

/** The role that the policy is for, as far as a template needs it. */
export interface RoleToRender {
  readonly role: RoleArn;
  /** Undefined: the default of one hour suffices. */
  readonly maxSessionSeconds: number | undefined;
}

/** The policy as a whole document of the format, with a final newline. */
export function renderPolicy(policy: PolicyDocument, target: RoleToRender, format: PolicyFormat): string {
  switch (format) {
    case "json":
      return `${JSON.stringify(policy, undefined, 2)}\n`;
    case "terraform":
      return renderTerraform(policy, target);
    case "cloudformation":
      return renderCloudFormation(policy, target);
  }
}

/**
 * A template in JSON, which CloudFormation takes as it takes YAML
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html).
 */
function renderCloudFormation(policy: PolicyDocument, { role, maxSessionSeconds }: RoleToRender): string {
  const path = pathOf(role);
  const template = {
    AWSTemplateFormatVersion: "2010-09-09",
    Resources: {
      [logicalId(role.name)]: {
        Type: "AWS::IAM::Role",
        Properties: {
          RoleName: role.name,
          ...(path === "/" ? {} : { Path: path }),
          ...(maxSessionSeconds === undefined ? {} : { MaxSessionDuration: maxSessionSeconds }),
          AssumeRolePolicyDocument: policy,
        },
      },
    },
  };
  return `${JSON.stringify(template, undefined, 2)}\n`;
}

/** Formatted as `terraform fmt` leaves it (https://developer.hashicorp.com/terraform/language/style). */
function renderTerraform(policy: PolicyDocument, { role, maxSessionSeconds }: RoleToRender): string {
  const name = role.name.replaceAll(/[^\w-]/g, "_").replace(/^(?=[^A-Za-z_])/, "_");
  const path = pathOf(role);
  const attributes: readonly (readonly [string, string])[] = [
    ["name", hcl(role.name)],
    ...(path === "/" ? [] : [["path", hcl(path)] as const]),
    ...(maxSessionSeconds === undefined ? [] : [["max_session_duration", String(maxSessionSeconds)] as const]),
    ["assume_role_policy", `data.aws_iam_policy_document.${name}_trust.json`],
  ];
  const width = Math.max(...attributes.map(([key]) => key.length));
  return [
    `data "aws_iam_policy_document" "${name}_trust" {`,
    ...policy.Statement.flatMap(terraformStatement),
    "}",
    "",
    `resource "aws_iam_role" "${name}" {`,
    ...attributes.map(([key, value]) => `  ${key.padEnd(width)} = ${value}`),
    "}",
    "",
  ].join("\n");
}

function terraformStatement(statement: PolicyStatement): readonly string[] {
  const conditions = Object.entries(statement.Condition ?? {}).flatMap(([test, block]) =>
    Object.entries(block).map(([variable, values]) => ({ test, variable, values: listOf(values) })),
  );
  return [
    "  statement {",
    `    effect  = ${hcl(statement.Effect)}`,
    `    actions = ${hclList(listOf(statement.Action))}`,
    ...Object.entries(statement.Principal).flatMap(([type, name]) => [
      "",
      "    principals {",
      `      type        = ${hcl(type)}`,
      `      identifiers = ${hclList([name])}`,
      "    }",
    ]),
    ...conditions.flatMap(({ test, variable, values }) => [
      "",
      "    condition {",
      `      test     = ${hcl(test)}`,
      `      variable = ${hcl(variable)}`,
      `      values   = ${hclList(values)}`,
      "    }",
    ]),
    "  }",
  ];
}

function hclList(values: readonly string[]): string {
  return `[${values.map(hcl).join(", ")}]`;
}

/**
 * A quoted string: JSON's escapes but `\/`, and `${` and `%{` doubled, which would begin a template
 * (https://developer.hashicorp.com/terraform/language/expressions/strings, "Escape Sequences").
 */
function hcl(text: string): string {
  return JSON.stringify(text)
    .replaceAll("${", () => "$${")
    .replaceAll("%{", () => "%%{");
}

/** `/` or `/division/team/`. */
function pathOf(role: RoleArn): string {
  return role.arn.replace(/^.*?:role/, "").slice(0, -role.name.length);
}

/** Letters and digits alone, as CloudFormation wants its logical IDs. */
function logicalId(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  const id = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return id === "" ? "Role" : id;
}
