import { join } from "node:path";

import { usualAwsConfigFile } from "../base/expand-path.ts";
import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import type { Environment, World } from "../base/world.ts";
import type { IDENTITIES } from "../config/role-source.ts";
import { request } from "../net/http.ts";
import { readSign } from "../safe-file/read-file.ts";
import {
  metadataAddress,
  type MetadataAddress,
  requestEither,
  showsGoogleCloud,
} from "../sources/gcp-metadata-server.ts";

/** A value of `identity`. */
export type IdentityName = (typeof IDENTITIES)[number];

/** Something about this machine that tells where an identity can come from. */
export interface Hint {
  /** The value of `identity` that fits; undefined when none does. */
  readonly identity: IdentityName | undefined;
  /** What was detected, for people: `Google Cloud, service account x@y`. */
  readonly seen: string;
  /** Values for the config, such as the token's file. */
  readonly suggests: Readonly<Record<string, string>>;
}

/** The chassis tag of Azure VMs (Microsoft's azure-linux-agent and cloud-init's DataSourceAzure look for it). */
const AZURE_CHASSIS = "7783-7084-3265-9085-8269-3286-77";

/**
 * Looks at the environment, the BIOS and `~/.aws/config`, and asks Google's metadata server for at most a second. No other
 * network traffic. The most certain hint comes first.
 *
 * @param dmi another directory than `/sys/class/dmi/id` in tests
 */
export async function detectEnvironment(
  world: World,
  signal: AbortSignal,
  dmi = "/sys/class/dmi/id",
): Promise<readonly Hint[]> {
  const { env } = world;
  const [google, chassis, sso] = await Promise.all([
    detectGoogle(env, signal, dmi),
    readText(join(dmi, "chassis_asset_tag")),
    detectSso(world),
  ]);
  const hints: readonly (Hint | undefined)[] = [
    detectGithub(env),
    detectGitlab(env),
    detectTokenFile(env),
    google,
    detectAzure(env, chassis),
    detectKubernetes(env),
    sso,
  ];
  return hints.filter((one) => one !== undefined);
}

function hint(identity: IdentityName | undefined, seen: string, suggests: Hint["suggests"] = {}): Hint {
  return { identity, seen, suggests };
}

function detectGithub(env: Environment): Hint | undefined {
  if (env["ACTIONS_ID_TOKEN_REQUEST_URL"]) return hint("github-actions", "GitHub Actions with id-token: write");
  if (env["GITHUB_ACTIONS"] !== "true") return undefined;
  return hint(undefined, "GitHub Actions, but the job lacks the permission id-token: write");
}

function detectGitlab(env: Environment): Hint | undefined {
  if (env["GITLAB_CI"] !== "true") return undefined;
  return env["AWS_ID_TOKEN"]
    ? hint("gitlab", "GitLab CI with the token AWS_ID_TOKEN")
    : hint("gitlab", "GitLab CI: the job must have id_tokens, AWS_ID_TOKEN or another name");
}

/** EKS sets these for a pod whose Kubernetes account has a role; other platforms do the same. */
function detectTokenFile(env: Environment): Hint | undefined {
  const { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: role } = env;
  if (!file) return undefined;
  const suggests = { web_identity_token_file: file, ...(role ? { role_arn: role } : {}) };
  return hint("file", `a token file for AWS, ${file}`, suggests);
}

function detectAzure(env: Environment, chassis: string): Hint | undefined {
  const file = env["AZURE_FEDERATED_TOKEN_FILE"];
  if (file) return hint("azure", `Azure workload identity, ${file}`);
  if (env["IDENTITY_ENDPOINT"] || env["WEBSITE_SITE_NAME"]) return hint("azure", "Azure App Service or Functions");
  return chassis === AZURE_CHASSIS ? hint("azure", "an Azure virtual machine") : undefined;
}

/** The pod's own token is for the Kubernetes API: one for AWS must be projected. */
function detectKubernetes(env: Environment): Hint | undefined {
  if (!env["KUBERNETES_SERVICE_HOST"] || env["AWS_WEB_IDENTITY_TOKEN_FILE"]) return undefined;
  return hint("kubernetes", "a Kubernetes pod without a projected token for AWS");
}

async function detectSso(world: World): Promise<Hint | undefined> {
  const { path } = usualAwsConfigFile(world);
  const names = path === undefined ? [] : ssoProfiles(await readText(path));
  if (names.length === 0) return undefined;
  return hint(
    "aws-profile",
    `SSO profiles in the AWS config: ${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}`,
  );
}

/** The names of the profiles in `~/.aws/config` that have an `sso_…` key. */
export function ssoProfiles(text: string): readonly string[] {
  const names = new Set<string>();
  let current: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const header = /^\[\s*(?:profile\s+(.+?)|(default))\s*\]/.exec(line);
    if (line.startsWith("[")) current = header?.[1] ?? header?.[2];
    else if (current !== undefined && /^sso_\w+\s*=/.test(line)) names.add(current);
  }
  return [...names];
}

/** Empty when the file cannot be read. */
async function readText(path: string): Promise<string> {
  return (await readSign(path))?.trim() ?? "";
}

/** A metadata server on Google Cloud answers in milliseconds; elsewhere there may be no route. */
const PROBE_MS = 1000;

/** Asks the metadata server once which service account is attached. */
async function detectGoogle(env: Environment, signal: AbortSignal, dmi: string): Promise<Hint | undefined> {
  const shows = await showsGoogleCloud(env, join(dmi, "bios_vendor"));
  const address = addressOf(env);
  const found = address === undefined ? undefined : await askGoogle(address, signal);
  if (found !== undefined) return found;
  return shows
    ? hint("gcp-metadata", "Google Cloud, but its metadata server did not answer within a second")
    : undefined;
}

async function askGoogle(address: MetadataAddress, signal: AbortSignal): Promise<Hint | undefined> {
  const { response } = await requestEither(
    address,
    (base, either, headStartMs) =>
      request({
        url: new URL("/computeMetadata/v1/instance/service-accounts/default/email", base),
        headers: { "Metadata-Flavor": "Google" },
        connectMs: PROBE_MS - headStartMs,
        totalMs: PROBE_MS - headStartMs,
        maxBytes: 4096,
        signal: either,
      }),
    signal,
  );
  // EC2 and Azure have servers at the same address, which do not send this header.
  if (response.kind === "fault" || response.headers["metadata-flavor"] !== "Google") return undefined;
  if (response.status === 404) return hint(undefined, "Google Cloud, but no service account is attached");
  if (response.status !== 200) return undefined;
  return hint("gcp-metadata", `Google Cloud, service account ${printable(response.body)}`);
}

/** Undefined where METADATA_SERVER_DETECTION=none forbids it, or the variables hold no address. */
function addressOf(env: Environment): MetadataAddress | undefined {
  try {
    return metadataAddress(env);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
