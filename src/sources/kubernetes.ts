import { access } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../base/failure.ts";
import type { IdentityContext } from "./context.ts";
import type { IdentityToken } from "../sts/identity-token.ts";
import { readTokenFile } from "./token-file.ts";

interface KubernetesSource {
  readonly path: string | undefined;
  readonly audience: string | undefined;
}

/**
 * Where tokens for AWS are projected: EKS's pod identity webhook (https://github.com/aws/amazon-eks-pod-identity-webhook)
 * and the manifest of `rolefresh schedule kubernetes`.
 */
const USUAL_PATHS = [
  "var/run/secrets/eks.amazonaws.com/serviceaccount/token",
  "var/run/rolefresh/token/token",
] as const;

/** Every pod has it, and it opens the cluster's API. */
const API_TOKEN = "var/run/secrets/kubernetes.io/serviceaccount/token";

const PROJECT = "project one into the pod: a `serviceAccountToken` volume with `audience: sts.amazonaws.com`";

/**
 * The projected service-account token of a pod: the configured file, else `AWS_WEB_IDENTITY_TOKEN_FILE`, else one of the
 * usual paths. The token for the cluster's own API is used only when it was issued for the configured audience, as with
 * `--api-audiences`: anyone else who gets it controls the cluster.
 *
 * @param root another directory than `/` in tests
 * @throws Failure IDENTITY_UNAVAILABLE when there is no such file; as `readTokenFile`
 */
export async function tokenFromKubernetes(
  source: KubernetesSource,
  context: IdentityContext,
  root = "/",
): Promise<IdentityToken> {
  const { audience } = source;
  const named = source.path ?? (context.env["AWS_WEB_IDENTITY_TOKEN_FILE"] || undefined);
  if (named !== undefined) return readTokenFile({ path: named, audience }, context);
  for (const usual of USUAL_PATHS) {
    const path = join(root, usual);
    if (await exists(path)) return readTokenFile({ path, audience }, context);
  }
  const apiToken = join(root, API_TOKEN);
  if (!(await exists(apiToken))) {
    throw new Failure("IDENTITY_UNAVAILABLE", "there is no service-account token: not running in a Kubernetes pod", {
      hint: `set \`web_identity_token_file\` to its path, or ${PROJECT}`,
    });
  }
  if (audience === undefined) {
    throw new Failure("IDENTITY_UNAVAILABLE", "this pod has no token for AWS, only one for the cluster's own API", {
      hint: PROJECT,
    });
  }
  try {
    return await readTokenFile({ path: apiToken, audience }, context);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "TOKEN_AUDIENCE") throw error;
    throw new Failure(error.code, error.message, { hint: PROJECT, cause: error });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    // Unreadable counts as absent: the next path is tried.
    return false;
  }
}
