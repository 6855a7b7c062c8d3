import { parseArgs } from "node:util";

import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

/**
 * What stands for the AWS CLI (and for the legacy tool) in the guides: `aws sts get-caller-identity [--profile NAME] [--query
 * Arn] [--output text]`, with the keys that the SDK's own chain finds, so that a guide proves whose keys a tool would read.
 */
const { values, positionals } = parseArgs({
  options: { profile: { type: "string" }, query: { type: "string" }, output: { type: "string" } },
  allowPositionals: true,
});
if (positionals.join(" ") !== "sts get-caller-identity")
  throw new TypeError(`aws ${positionals.join(" ")} is not here`);
if (values.profile !== undefined) process.env["AWS_PROFILE"] = values.profile;
const client = new STSClient({ region: "eu-central-1" });
const { UserId, Account, Arn } = await client.send(new GetCallerIdentityCommand({}));
console.log(values.query === "Arn" ? Arn : JSON.stringify({ UserId, Account, Arn }, undefined, 4));
