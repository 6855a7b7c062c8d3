import assert from "node:assert/strict";
import {
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
  STSServiceException,
  type AssumeRoleWithWebIdentityCommandInput,
  type Credentials,
  type GetCallerIdentityCommandOutput,
} from "@aws-sdk/client-sts";
import { GCP_ROLE, type Sandbox } from "./sandbox.ts";

/** Calls by the AWS SDK, which judges the sandbox because it knows nothing of it. */

// Or each start prints seven lines about Node 20.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

/** A client that tries once; unsigned without keys. */
export function clientOf(sandbox: Sandbox, keys?: Credentials): STSClient {
  const credentials = {
    accessKeyId: keys?.AccessKeyId ?? "",
    secretAccessKey: keys?.SecretAccessKey ?? "",
    ...(keys?.SessionToken === undefined ? {} : { sessionToken: keys.SessionToken }),
  };
  return new STSClient({
    region: "ap-northeast-1",
    endpoint: sandbox.stsUrl,
    maxAttempts: 1,
    ...(keys === undefined ? {} : { credentials }),
  });
}

/** Keys of the default role (or of another) for a good token (or another). */
export async function assumeByToken(
  sandbox: Sandbox,
  input: Partial<AssumeRoleWithWebIdentityCommandInput> = {},
): Promise<Credentials> {
  const command = new AssumeRoleWithWebIdentityCommand({
    RoleArn: GCP_ROLE.arn,
    RoleSessionName: "demo-project.legacy-vm",
    WebIdentityToken: input.WebIdentityToken ?? (await sandbox.mintToken()),
    ...input,
  });
  const { Credentials: keys } = await clientOf(sandbox).send(command);
  assert.ok(keys !== undefined);
  return keys;
}

/** Who the keys prove to be. */
export function whoAmI(sandbox: Sandbox, keys: Credentials | undefined): Promise<GetCallerIdentityCommandOutput> {
  return clientOf(sandbox, keys).send(new GetCallerIdentityCommand({}));
}

export interface Refusal {
  /** AWS's code, not the SDK's name for it, which has `Exception` at the end for the errors of its model. */
  readonly code: string | undefined;
  readonly status: number | undefined;
  readonly message: string;
}

/** How the call was refused; fails when it was not. */
export async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof STSServiceException)) throw error;
    const code = "Code" in error && typeof error.Code === "string" ? error.Code : undefined;
    return { code, status: error.$metadata.httpStatusCode, message: error.message };
  }
  throw new assert.AssertionError({ message: "the call was not refused" });
}
