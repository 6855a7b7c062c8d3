import type { Deadline } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import { Secret } from "../base/secret.ts";
import type { CredentialSource } from "../config/config.ts";
import type { Environment } from "../base/world.ts";
import { readSecretFile } from "../safe-file/read-secret-file.ts";
import type { ProvidedKeys } from "./pass-through.ts";
import { hopLimitIn, silentLogger, toProvided, untilDeadline, wordsOf } from "./sdk-credentials.ts";

const MAX_AUTHORIZATION_BYTES = 64 * 1024;

interface Context {
  readonly env: Environment;
  readonly deadline: Deadline;
}

/**
 * The keys that AWS gives this machine (AWS SDKs and tools reference guide, "Assume role credential provider",
 * `credential_source`), by the SDK's own providers. Metadata addresses are asked directly, never through a proxy.
 *
 * @throws Failure IDENTITY_UNAVAILABLE where there is no such source, IDENTITY_DENIED, IDENTITY_TEMPORARY,
 *   IDENTITY_INVALID_RESPONSE; TIMEOUT, INTERRUPTED
 */
export async function keysOfMachine(source: CredentialSource, context: Context): Promise<ProvidedKeys> {
  switch (source) {
    case "Environment":
      return keysOfEnvironment(context.env);
    case "Ec2InstanceMetadata":
      return keysOfInstance(context);
    case "EcsContainer":
      return keysOfContainer(context);
  }
}

function keysOfEnvironment(env: Environment): ProvidedKeys {
  const accessKeyId = env["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = env["AWS_SECRET_ACCESS_KEY"];
  if (!accessKeyId || !secretAccessKey) {
    const missing = accessKeyId ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID";
    throw new Failure("IDENTITY_UNAVAILABLE", `credential_source = Environment: ${missing} is not set`, {
      hint: "cron and systemd start with an empty environment: give the keys with EnvironmentFile=, mode 0600",
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

async function keysOfInstance({ env, deadline }: Context): Promise<ProvidedKeys> {
  const describe = "the instance metadata service";
  if (env["AWS_EC2_METADATA_DISABLED"]?.toLowerCase() === "true") {
    throw new Failure("IDENTITY_UNAVAILABLE", `${describe} is switched off by AWS_EC2_METADATA_DISABLED=true`);
  }
  const { fromInstanceMetadata } = await import("@aws-sdk/credential-providers");
  const work = fromInstanceMetadata({ timeout: 1000, maxRetries: 1, logger: silentLogger() })();
  try {
    return toProvided(await untilDeadline(work, deadline, `${describe} has not answered`));
  } catch (error) {
    throw (
      hopLimitIn(error) ?? toFailure(error, describe, "check that this is an EC2 instance with an IAM role attached")
    );
  }
}

async function keysOfContainer({ env, deadline }: Context): Promise<ProvidedKeys> {
  const describe = "the container credentials endpoint";
  const relative = env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"];
  const full = env["AWS_CONTAINER_CREDENTIALS_FULL_URI"];
  const tokenFile = env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];
  const hint =
    "check that this is an ECS task, EKS pod or CodeBuild job with a role, and that its variables are passed on";
  if (!relative && !full) {
    const names = "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set";
    throw new Failure("IDENTITY_UNAVAILABLE", `credential_source = EcsContainer: ${names}`, { hint });
  }
  // The file goes first, as in the SDK (credential-provider-http, fromHttp.js).
  const token = tokenFile ? await authorizationIn(tokenFile, deadline) : env["AWS_CONTAINER_AUTHORIZATION_TOKEN"];
  const { fromHttp } = await import("@aws-sdk/credential-providers");
  try {
    const work = fromHttp({
      ...(relative ? { awsContainerCredentialsRelativeUri: relative } : {}),
      ...(full ? { awsContainerCredentialsFullUri: full } : {}),
      ...(token ? { awsContainerAuthorizationToken: token } : {}),
      // Else the SDK takes the one of the environment, and reads it by itself.
      awsContainerAuthorizationTokenFile: "",
      timeout: 1000,
      maxRetries: 1,
      logger: silentLogger(),
    })();
    return toProvided(await untilDeadline(work, deadline, `${describe} has not answered`));
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
  const words = wordsOf(error);
  const status =
    "statusCode" in error ? Number(error.statusCode) : Number(/responded with status: (\d+)/.exec(words)?.[1]);
  if (status === 401 || status === 403)
    return new Failure("IDENTITY_DENIED", `${describe} denies access (status ${status})`, { hint, cause: error });
  if (status === 404) return new Failure("IDENTITY_UNAVAILABLE", `${describe} has no keys (status 404)`, { hint });
  if (status >= 400)
    return new Failure("IDENTITY_TEMPORARY", `${describe} responds with status ${status}`, {
      hint: "the next run will retry",
    });
  if (/ECONNREFUSED|E(HOST|NET)UNREACH|ENOTFOUND|TimeoutError|Unable to connect/.test(words))
    return new Failure("IDENTITY_UNAVAILABLE", `${describe} is not available on this machine`, { hint, cause: error });
  if (/ECONNRESET|EPIPE|ETIMEDOUT/.test(words))
    return new Failure("IDENTITY_TEMPORARY", `${describe} closed the connection`, {
      hint: "the next run will retry",
      cause: error,
    });
  // fromHttp passes OpenSSL's words on without its code.
  const tls = /Error: ([\w ,.'-]*certificate[\w ,.'-]*)/i.exec(words)?.[1];
  if (tls !== undefined)
    return new Failure("IDENTITY_INVALID_RESPONSE", `the certificate of ${describe} is not accepted: ${tls.trim()}`, {
      // The SDK asks it by itself and does not know of AWS_CA_BUNDLE.
      hint: "name its CA with NODE_EXTRA_CA_CERTS=/path/ca.pem",
      cause: error,
    });
  return new Failure("IDENTITY_INVALID_RESPONSE", `${describe} does not respond with credentials`, { hint });
}
