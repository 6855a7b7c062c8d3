import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import { Secret } from "../base/secret.ts";
import { textInJson } from "../net/json-response.ts";
import type { IdentityToken } from "../sts/identity-token.ts";
import type { IdentityContext } from "./context.ts";
import { type MetadataResponse, requestMetadata } from "./gcp-metadata-server.ts";
import { checkResponseToken } from "./jwt.ts";

interface MetadataSource {
  readonly audience: string;
  readonly serviceAccount: string;
}

/** A larger difference of the clocks is logged with `--verbose`. */
const NOTABLE_SKEW_MS = 30_000;

/**
 * The identity token of a service account from the metadata server
 * (https://cloud.google.com/compute/docs/instances/verifying-instance-identity), `format=full`. Its times are judged by
 * the server's `Date`, so that a machine whose clock is off still gets its credentials: AWS judges by its own clock.
 *
 * @throws Failure IDENTITY_UNAVAILABLE when the service account is not attached, IDENTITY_DENIED when it may not have a
 *   token; as `requestMetadata` and `checkResponseToken`
 */
export async function tokenFromMetadata(source: MetadataSource, context: IdentityContext): Promise<IdentityToken> {
  const { audience, serviceAccount } = source;
  const { clock, verbose } = context;
  const query = `audience=${encodeURIComponent(audience)}&format=full`;
  const path = `instance/service-accounts/${accountInPath(serviceAccount)}/identity?${query}`;
  const response = await requestMetadata(path, context);
  if (response.status !== 200) throw statusFailure(response, serviceAccount);
  const skew = response.date === undefined ? 0 : clock.now().getTime() - response.date.getTime();
  if (Math.abs(skew) > NOTABLE_SKEW_MS)
    verbose(`identity: this machine's clock is ${Math.round(skew / 1000)} s ahead of the metadata server's`);
  const describe = `the response of the metadata server at ${response.host}`;
  return checkResponseToken(response.body, describe, clock, { audience, serverTime: response.date });
}

/** A service account as part of a URL: an e-mail address keeps its `@`, as in Google's libraries. */
export function accountInPath(serviceAccount: string): string {
  return encodeURIComponent(serviceAccount).replaceAll("%40", "@");
}

/**
 * An access token of the machine's own service account, to impersonate another one with.
 *
 * @throws Failure as `tokenFromMetadata`
 */
export async function accessTokenFromMetadata(context: IdentityContext): Promise<Secret> {
  const response = await requestMetadata("instance/service-accounts/default/token", context);
  if (response.status !== 200) throw statusFailure(response, "default");
  const describe = `the response of the metadata server at ${response.host}`;
  return new Secret(textInJson(response.body, "access_token", describe));
}

/**
 * The parts of the default session name, as doitintl/janus makes it (`'{}.{}'.format(project_id, instance_name)[:64]`
 * with `instance/hostname`): people search their CloudTrail for it.
 *
 * @returns `unknown` for what the server does not know, as Cloud Run's does not know a host name
 * @throws Failure as `requestMetadata`
 */
export async function instancePlaceholders(
  context: IdentityContext,
): Promise<{ readonly project: string; readonly instance: string }> {
  const read = async (path: string) => {
    const { status, body } = await requestMetadata(path, context);
    const text = printable(body, 256);
    return status === 200 && text !== "" ? text : "unknown";
  };
  const [project, instance] = await Promise.all([read("project/project-id"), read("instance/hostname")]);
  return { project, instance };
}

/** GKE's own metadata server responds so when its pod has no Google account; the words are not shown. */
const NOT_ANNOTATED = /iam\.gke\.io\/gcp-service-account/;

function statusFailure({ status, body, host }: MetadataResponse, serviceAccount: string): Failure {
  const account = printable(serviceAccount);
  const server = `the metadata server at ${host}`;
  if (status === 404 && NOT_ANNOTATED.test(body)) {
    return new Failure("IDENTITY_UNAVAILABLE", `${server} has no Google service account for this pod (status 404)`, {
      hint: "annotate the pod's Kubernetes account: `kubectl annotate serviceaccount NAME iam.gke.io/gcp-service-account=EMAIL`, and give it roles/iam.workloadIdentityUser on EMAIL",
    });
  }
  if (status === 404) {
    return new Failure("IDENTITY_UNAVAILABLE", `${server} knows no service account \`${account}\` (status 404)`, {
      hint: "attach one: `gcloud compute instances set-service-account VM --service-account=EMAIL --scopes=cloud-platform` (the VM must be stopped); on GKE link one to the pod's Kubernetes account",
    });
  }
  if (status === 401 || status === 403) {
    return new Failure("IDENTITY_DENIED", `${server} denies a token for \`${account}\` (status ${status})`, {
      hint: "on GKE, give the pod's Kubernetes account a role on the service account: `gcloud iam service-accounts add-iam-policy-binding EMAIL --role=roles/iam.workloadIdentityUser --member='serviceAccount:PROJECT.svc.id.goog[NAMESPACE/NAME]'`",
    });
  }
  return new Failure("IDENTITY_INVALID_RESPONSE", `${server} responds with status ${status}, not with a token`, {
    hint: "check `audience`, `service_account` and any proxy in between; redirects are not followed",
  });
}
