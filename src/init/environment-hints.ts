import { join } from "node:path";

import { usualAwsConfigFile } from "../base/expand-path.ts";
import type { IDENTITIES } from "../config/role-source.ts";
import { showsGoogleCloud } from "../sources/gcp-address.ts";
import type { World } from "../base/world.ts";
import { askGoogle } from "./google-probe.ts";
import { readSign } from "../safe-file/read-sign.ts";

/** A word that `identity` may have. */
export type IdentityName = (typeof IDENTITIES)[number];

/** Something about this machine that decides where an identity can come from. */
export interface Sign {
  /** The value of `identity` that fits, also one that this version does not serve yet; undefined when none does. */
  readonly identity: string | undefined;
  /** What was seen, for people: `Google Cloud, service account x@y`. */
  readonly seen: string;
  /** Values for the config that the sign itself gives, such as the token's file. */
  readonly suggests: Readonly<Record<string, string>>;
}

/** Azure's VMs all carry this tag (Microsoft's azure-linux-agent and cloud-init's DataSourceAzure look for it). */
const AZURE_CHASSIS = "7783-7084-3265-9085-8269-3286-77";

/**
 * Looks at where the program runs: environment, BIOS, `~/.aws/config`, and one question to Google's metadata server of at
 * most a second. Nothing else is asked over the network. The most certain sign comes first.
 *
 * @param dmi another directory than `/sys/class/dmi/id` in tests
 */
export async function lookAround(
  world: World,
  signal: AbortSignal,
  dmi = "/sys/class/dmi/id",
): Promise<readonly Sign[]> {
  const { env } = world;
  const [google, azureChassis, sso] = await Promise.all([
    googleSign(world, signal, dmi),
    readText(join(dmi, "chassis_asset_tag")),
    ssoSign(world),
  ]);
  const signs: (Sign | undefined)[] = [
    githubSign(env),
    gitlabSign(env),
    tokenFileSign(env),
    google,
    azureSign(env, azureChassis),
    kubernetesSign(env),
    sso,
  ];
  return signs.filter((sign) => sign !== undefined);
}

type Env = World["env"];

async function googleSign(world: World, signal: AbortSignal, dmi: string): Promise<Sign | undefined> {
  const shows = await showsGoogleCloud(world.env, join(dmi, "bios_vendor"));
  const answer = await askGoogle(world.env, signal);
  if (answer.kind === "account")
    return { identity: "gcp-metadata", seen: `Google Cloud, service account ${answer.email}`, suggests: {} };
  if (answer.kind === "no-account") {
    return { identity: undefined, seen: "Google Cloud, but no service account is attached", suggests: {} };
  }
  return shows
    ? {
        identity: "gcp-metadata",
        seen: "Google Cloud, but its metadata server did not answer within a second",
        suggests: {},
      }
    : undefined;
}

function githubSign(env: Env): Sign | undefined {
  if (env["ACTIONS_ID_TOKEN_REQUEST_URL"]) {
    return { identity: "github-actions", seen: "GitHub Actions with id-token: write", suggests: {} };
  }
  return env["GITHUB_ACTIONS"] === "true"
    ? { identity: undefined, seen: "GitHub Actions, but the job lacks the permission id-token: write", suggests: {} }
    : undefined;
}

function gitlabSign(env: Env): Sign | undefined {
  if (env["GITLAB_CI"] !== "true") return undefined;
  return env["AWS_ID_TOKEN"]
    ? { identity: "gitlab", seen: "GitLab CI with the token AWS_ID_TOKEN", suggests: {} }
    : {
        identity: "gitlab",
        seen: "GitLab CI: the job must have id_tokens, AWS_ID_TOKEN or another name",
        suggests: {},
      };
}

/** EKS sets these for a pod whose Kubernetes account has a role; other platforms do as EKS does. */
function tokenFileSign(env: Env): Sign | undefined {
  const file = env["AWS_WEB_IDENTITY_TOKEN_FILE"];
  if (!file) return undefined;
  const role = env["AWS_ROLE_ARN"];
  return {
    identity: "file",
    seen: `a token file for AWS, ${file}`,
    suggests: { web_identity_token_file: file, ...(role ? { role_arn: role } : {}) },
  };
}

function azureSign(env: Env, chassis: string): Sign | undefined {
  const file = env["AZURE_FEDERATED_TOKEN_FILE"];
  if (file) return { identity: "azure", seen: `Azure workload identity, ${file}`, suggests: {} };
  if (env["IDENTITY_ENDPOINT"] || env["WEBSITE_SITE_NAME"])
    return { identity: "azure", seen: "Azure App Service or Functions", suggests: {} };
  return chassis === AZURE_CHASSIS ? { identity: "azure", seen: "an Azure virtual machine", suggests: {} } : undefined;
}

/** The pod's own token is for the Kubernetes API and nobody else: one for AWS has to be projected. */
function kubernetesSign(env: Env): Sign | undefined {
  if (!env["KUBERNETES_SERVICE_HOST"] || env["AWS_WEB_IDENTITY_TOKEN_FILE"]) return undefined;
  return { identity: "kubernetes", seen: "a Kubernetes pod without a projected token for AWS", suggests: {} };
}

async function ssoSign(world: World): Promise<Sign | undefined> {
  const { path } = usualAwsConfigFile(world);
  const names = path === undefined ? [] : ssoProfiles(await readText(path));
  if (names.length === 0) return undefined;
  const shown = `${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}`;
  return { identity: "aws-profile", seen: `SSO profiles in the AWS config: ${shown}`, suggests: {} };
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

/** Empty when there is nothing to read: what cannot be read is no sign. */
async function readText(path: string): Promise<string> {
  return (await readSign(path))?.trim() ?? "";
}
