import type { ScheduleInvocation } from "../cli/invocation.ts";
import { readConfigSource } from "../config/locate.ts";
import { readConfig } from "../config/read.ts";
import { SAMPLE_CONFIG } from "../schedule/kubernetes-config.ts";
import { kubernetesManifest } from "../schedule/kubernetes-manifest.ts";
import type { ScheduledFile } from "../schedule/request.ts";
import { VERSION } from "../version.ts";
import type { World } from "../world.ts";

/**
 * The manifest. A config goes into it only when it is named on the command line: the one of this machine is of no use in
 * a pod, and may hold what is not for the cluster.
 *
 * @throws Failure CONFIG_*; ConfigMistakes
 */
export async function printKubernetes(invocation: ScheduleInvocation, world: World): Promise<readonly ScheduledFile[]> {
  const { configFile, kubernetes, interval, global } = invocation;
  let config = SAMPLE_CONFIG;
  if (configFile !== undefined) {
    await readConfig({ configFile, credentialsFile: undefined, inline: undefined }, world);
    config = (await readConfigSource(configFile, world)).text;
  }
  const content = kubernetesManifest({
    workload: kubernetes.workload,
    image: kubernetes.image ?? `rolefresh:${VERSION}`,
    appImage: kubernetes.appImage ?? "legacy-app:latest",
    serviceAccount: kubernetes.serviceAccount ?? "rolefresh",
    namespace: kubernetes.namespace,
    tokenAudience: kubernetes.tokenAudience ?? "sts.amazonaws.com",
    config,
    interval,
    timeoutMs: global.timeoutMs,
  });
  return [{ path: null, content }];
}
