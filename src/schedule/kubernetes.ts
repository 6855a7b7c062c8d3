import type { GlobalOptions } from "../base/global-options.ts";
import type { Reporter } from "../output/report.ts";
import type { Config, ProfileSpec } from "../config/config.ts";
import { readConfigSource } from "../config/locate.ts";
import { configFromSource } from "../config/read.ts";
import type { ScheduledFile, ScheduleRequest } from "./job.ts";
import {
  KUBERNETES_DIRECTORY,
  KUBERNETES_ENVIRONMENT,
  KUBERNETES_TOKEN,
  kubernetesManifest,
} from "./kubernetes-manifest.ts";
import { VERSION } from "../version.ts";
import type { World } from "../base/world.ts";

/**
 * The manifest, with the config that other commands find. It is checked with the pod's environment and paths; a file that
 * the pod will lack is a warning.
 *
 * @throws Failure CONFIG_*, CONFIG_MISSING when there is none; ConfigIssues
 */
export async function printKubernetes(
  invocation: ScheduleRequest & { readonly global: GlobalOptions },
  reporter: Reporter,
  world: World,
): Promise<readonly ScheduledFile[]> {
  const { configFile, kubernetes, interval, global } = invocation;
  const source = await readConfigSource(configFile, world);
  const { HOME: home, ROLEFRESH_CONFIG: file } = KUBERNETES_ENVIRONMENT;
  const directory = file.slice(0, file.lastIndexOf("/"));
  const config = configFromSource({ ...source, directory }, { env: KUBERNETES_ENVIRONMENT, home, cwd: "/" }, undefined);
  for (const spec of config.profiles) warnOfMissing(spec, reporter);
  const content = kubernetesManifest({
    workload: kubernetes.workload,
    image: kubernetes.image ?? `rolefresh:${VERSION}`,
    appImage: kubernetes.appImage ?? "legacy-app:latest",
    serviceAccount: kubernetes.serviceAccount ?? "rolefresh",
    namespace: kubernetes.namespace,
    tokenAudience: kubernetes.tokenAudience ?? audienceOf(config) ?? "sts.amazonaws.com",
    config: source.text,
    interval,
    timeoutMs: global.timeoutMs,
  });
  return [{ path: null, content }];
}

/** The audience that the config requires of the projected token. */
function audienceOf(config: Config): string | undefined {
  const audiences = config.profiles.flatMap(({ source }) => {
    if (source.kind !== "web-identity") return [];
    const { identity } = source;
    const isProjected =
      identity.kind === "kubernetes" || (identity.kind === "file" && identity.path === KUBERNETES_TOKEN);
    return isProjected && identity.audience !== undefined ? [identity.audience] : [];
  });
  return audiences[0];
}

function warnOfMissing({ profile, credentialsFile, ...spec }: ProfileSpec, reporter: Reporter): void {
  if (!credentialsFile.startsWith(`${KUBERNETES_DIRECTORY}/`))
    reporter.warning(
      `profile '${profile}': ${credentialsFile} is outside the volume shared with the app`,
      `remove credentials_file from the config, or set it to a file in ${KUBERNETES_DIRECTORY}`,
    );
  for (const path of filesOf(spec)) {
    if (path === undefined || path.startsWith("/var/run/")) continue;
    reporter.warning(`profile '${profile}': the manifest does not mount ${path} in the pod`, "add a volume for it");
  }
}

function filesOf({ source, policyFile, endpoint }: Pick<ProfileSpec, "source" | "policyFile" | "endpoint">) {
  const { caBundle } = endpoint;
  switch (source.kind) {
    case "web-identity":
      return [policyFile, caBundle, "path" in source.identity ? source.identity.path : undefined];
    case "saml":
      return [policyFile, caBundle, source.assertion.kind === "file" ? source.assertion.path : undefined];
    case "source-profile":
    case "credential-source":
    case "aws-profile":
    case "session":
      return [policyFile, caBundle];
  }
}
