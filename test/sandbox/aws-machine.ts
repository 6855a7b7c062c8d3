import type { ServerResponse } from "node:http";

import { type LoopbackServer, type ReceivedRequest, startLoopbackServer } from "./loopback-server.ts";

/** Keys as the servers below give them. */
export interface MachineKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** How a server answers instead. */
export type MachineFault =
  | { readonly kind: "status"; readonly status: number; readonly body?: string; readonly errorType?: string }
  | { readonly kind: "body"; readonly body: string }
  | { readonly kind: "hang" }
  /** Keeps silent to a PUT, as IMDSv2 seems to whoever is one hop too far away. */
  | { readonly kind: "hop-limit" };

export interface MachineServer extends AsyncDisposable {
  readonly url: string;
  /** `METHOD /path` of each request, in order. */
  readonly requests: readonly string[];
  misbehave(fault: MachineFault | undefined): void;
}

type Answer = { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> };

async function start(answer: (request: ReceivedRequest) => Answer): Promise<MachineServer> {
  const requests: string[] = [];
  let fault: MachineFault | undefined;
  const server: LoopbackServer = await startLoopbackServer(0, async (request, response: ServerResponse) => {
    requests.push(`${request.method} ${request.target}`);
    if (fault?.kind === "hang" || (fault?.kind === "hop-limit" && request.method === "PUT")) return;
    if (fault?.kind === "status") {
      const type = fault.errorType === undefined ? {} : { "x-amzn-ErrorType": fault.errorType };
      response.writeHead(fault.status, { "Content-Type": "application/json", ...type }).end(fault.body ?? "{}");
      return;
    }
    const good = fault?.kind === "body" ? { status: 200, body: fault.body } : answer(request);
    response.writeHead(good.status, { "Content-Type": "application/json", ...good.headers }).end(good.body);
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    misbehave: (wanted) => {
      fault = wanted;
    },
    [Symbol.asyncDispose]: () => server.pause(),
  };
}

const keysJson = (keys: MachineKeys, more: object = {}): string =>
  JSON.stringify({
    ...more,
    AccessKeyId: keys.accessKeyId,
    SecretAccessKey: keys.secretAccessKey,
    Token: keys.sessionToken,
    Expiration: keys.expiration.toISOString().replace(/\.\d+Z$/, "Z"),
  });

const IMDS_TOKEN = "AQAEAL-imds-session-token==";

/**
 * The instance metadata service, version 2 alone: a token by PUT, which every GET must carry
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html).
 *
 * @param role the name of the attached role; null: no instance profile, a 404
 */
export function startInstanceMetadata(keys: MachineKeys, role: string | null = "web"): Promise<MachineServer> {
  const path = "/latest/meta-data/iam/security-credentials/";
  return start(({ method, target, headers }) => {
    if (target === "/latest/api/token") {
      const isGood = method === "PUT" && headers["x-aws-ec2-metadata-token-ttl-seconds"] !== undefined;
      return isGood ? { status: 200, body: IMDS_TOKEN } : { status: 400, body: "" };
    }
    if (headers["x-aws-ec2-metadata-token"] !== IMDS_TOKEN) return { status: 401, body: "" };
    if (target === path && role !== null) return { status: 200, body: role };
    if (role !== null && target === path + role)
      return { status: 200, body: keysJson(keys, { Code: "Success", Type: "AWS-HMAC" }) };
    return { status: 404, body: "" };
  });
}

/**
 * The endpoint that ECS tasks and EKS pods are given in `AWS_CONTAINER_CREDENTIALS_FULL_URI`, with the content of
 * `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` as `Authorization`
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html).
 */
export function startContainerCredentials(keys: MachineKeys, token: string): Promise<MachineServer> {
  return start(({ headers }) =>
    headers.authorization === token ? { status: 200, body: keysJson(keys) } : { status: 401, body: "{}" },
  );
}

/**
 * The portal of IAM Identity Center: GetRoleCredentials
 * (https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html).
 */
export function startSsoPortal(keys: MachineKeys, accessToken: string): Promise<MachineServer> {
  return start(({ target, headers }) => {
    if (headers["x-amz-sso_bearer_token"] !== accessToken) {
      return {
        status: 401,
        headers: { "x-amzn-ErrorType": "UnauthorizedException" },
        body: JSON.stringify({ message: "Session token not found or invalid" }),
      };
    }
    if (!target.startsWith("/federation/credentials?")) return { status: 404, body: "{}" };
    const { expiration, ...others } = keys;
    return { status: 200, body: JSON.stringify({ roleCredentials: { ...others, expiration: expiration.getTime() } }) };
  });
}
