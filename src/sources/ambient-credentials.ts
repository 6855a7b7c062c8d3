import type { Deadline } from "../base/deadline.ts";
import { Failure, type FailureCode } from "../base/failure.ts";
import { Secret } from "../base/secret.ts";
import type { CredentialSource } from "../config/config.ts";
import type { Environment } from "../base/world.ts";
import { readSecretFile } from "./read-secret-file.ts";
import type { ProvidedCredentials } from "./pass-through.ts";
import { errorText, hopLimitFailure, sdkCredentials, silentLogger } from "./sdk-credentials.ts";

const MAX_AUTHORIZATION_BYTES = 64 * 1024;

interface Context {
  readonly env: Environment;
  readonly deadline: Deadline;
}

/**
 * The machine's own AWS credentials (AWS SDKs and tools reference guide, "Assume role credential provider",
 * `credential_source`), by the SDK's own providers. Metadata servers are called directly, never through a proxy.
 *
 * @throws Failure IDENTITY_UNAVAILABLE where there is no such source, IDENTITY_DENIED, IDENTITY_TEMPORARY,
 *   IDENTITY_INVALID_RESPONSE; TIMEOUT, INTERRUPTED
 */
export async function ambientCredentials(source: CredentialSource, context: Context): Promise<ProvidedCredentials> {
  switch (source) {
    case "Environment":
      return environmentCredentials(context.env);
    case "Ec2InstanceMetadata":
      return instanceCredentials(context);
    case "EcsContainer":
      return containerCredentials(context);
  }
}

function environmentCredentials(env: Environment): ProvidedCredentials {
  const accessKeyId = env["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = env["AWS_SECRET_ACCESS_KEY"];
  if (!accessKeyId || !secretAccessKey) {
    const missing = accessKeyId ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID";
    throw new Failure("IDENTITY_UNAVAILABLE", `credential_source = Environment: ${missing} is not set`, {
      hint: "set the keys with EnvironmentFile= (mode 0600): cron and systemd start with an empty environment",
    });
  }
  const token = env["AWS_SESSION_TOKEN"];
  const expiresMs = Date.parse(env["AWS_CREDENTIAL_EXPIRATION"] ?? "");
  return {
    accessKeyId,
    secretAccessKey: new Secret(secretAccessKey),
    sessionToken: token ? new Secret(token) : undefined,
    expiresAt: Number.isNaN(expiresMs) ? undefined : new Date(expiresMs),
  };
}

async function instanceCredentials({ env, deadline }: Context): Promise<ProvidedCredentials> {
  const describe = "the instance metadata service";
  if (env["AWS_EC2_METADATA_DISABLED"]?.toLowerCase() === "true") {
    throw new Failure("IDENTITY_UNAVAILABLE", `${describe} is switched off by AWS_EC2_METADATA_DISABLED=true`);
  }
  const { fromInstanceMetadata } = await import("@aws-sdk/credential-providers");
  const work = fromInstanceMetadata({ timeout: 1000, maxRetries: 1, logger: silentLogger() })();
  try {
    return await sdkCredentials(work, deadline, `${describe} has not answered`);
  } catch (error) {
    const hint = "check that this is an EC2 instance with an IAM role attached";
    throw hopLimitFailure(error) ?? toFailure(error, describe, hint);
  }
}

async function containerCredentials({ env, deadline }: Context): Promise<ProvidedCredentials> {
  const describe = "the container credentials endpoint";
  const relative = env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"];
  const full = env["AWS_CONTAINER_CREDENTIALS_FULL_URI"];
  const tokenFile = env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];
  const hint =
    "check that this is an ECS task, EKS pod or CodeBuild job with a role, and that its variables reach rolefresh";
  if (!relative && !full) {
    const names = "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set";
    throw new Failure("IDENTITY_UNAVAILABLE", `credential_source = EcsContainer: ${names}`, { hint });
  }
  // The file takes precedence, as in the SDK (credential-provider-http, fromHttp.js).
  const token = tokenFile ? await authorizationIn(tokenFile, deadline) : env["AWS_CONTAINER_AUTHORIZATION_TOKEN"];
  const { fromHttp } = await import("@aws-sdk/credential-providers");
  try {
    const work = fromHttp({
      ...(relative ? { awsContainerCredentialsRelativeUri: relative } : {}),
      ...(full ? { awsContainerCredentialsFullUri: full } : {}),
      ...(token ? { awsContainerAuthorizationToken: token } : {}),
      // Otherwise the SDK reads the file that the environment names.
      awsContainerAuthorizationTokenFile: "",
      timeout: 1000,
      maxRetries: 1,
      logger: silentLogger(),
    })();
    return await sdkCredentials(work, deadline, `${describe} has not answered`);
  } catch (error) {
    throw toFailure(error, describe, hint);
  }
}

/** EKS Pod Identity rotates this file; the SDK would wait for the writer of a FIFO. */
async function authorizationIn(path: string, deadline: Deadline): Promise<string> {
  const file = {
    path,
    what: "authorization token file",
    key: "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    maxBytes: MAX_AUTHORIZATION_BYTES,
    tooLong: (bytes: number) =>
      new Failure("TOKEN_MALFORMED", `the authorization token in ${path} is too long: ${bytes} bytes`),
  };
  return (await readSecretFile(file, { interrupted: deadline.signal })).toString("latin1");
}

function toFailure(error: unknown, describe: string, hint: string): unknown {
  if (error instanceof Failure || !(error instanceof Error)) return error;
  const make = (code: FailureCode, message: string, advice = "the next run will retry") =>
    new Failure(code, message, { hint: advice });
  const text = errorText(error);
  const status =
    "statusCode" in error ? Number(error.statusCode) : Number(/responded with status: (\d+)/.exec(text)?.[1]);
  if (status === 401 || status === 403)
    return make("IDENTITY_DENIED", `${describe} denies access (status ${status})`, hint);
  if (status === 404) return make("IDENTITY_UNAVAILABLE", `${describe} has no credentials (status 404)`, hint);
  if (status >= 400) return make("IDENTITY_TEMPORARY", `${describe} responds with status ${status}`);
  if (/ECONNREFUSED|E(HOST|NET)UNREACH|ENOTFOUND|TimeoutError|Unable to connect/.test(text))
    return make("IDENTITY_UNAVAILABLE", `${describe} is not available on this machine`, hint);
  if (/ECONNRESET|EPIPE|ETIMEDOUT/.test(text)) return make("IDENTITY_TEMPORARY", `${describe} closed the connection`);
  // fromHttp passes OpenSSL's message on without its code.
  const tls = /Error: ([\w ,.'-]*certificate[\w ,.'-]*)/i.exec(text)?.[1];
  if (tls !== undefined) {
    // The SDK does not know of AWS_CA_BUNDLE here.
    const advice = "name its CA with NODE_EXTRA_CA_CERTS=/path/ca.pem";
    return make("IDENTITY_INVALID_RESPONSE", `the certificate of ${describe} is not accepted: ${tls.trim()}`, advice);
  }
  return make("IDENTITY_INVALID_RESPONSE", `${describe} does not respond with credentials`, hint);
}
