import { Failure } from "../base/failure.ts";
import { checkAnsweredToken } from "./token-response.ts";
import { askMetadata, type MetadataAnswer } from "./gcp-server.ts";
import { textInJson } from "../net/json-response.ts";
import type { IdentityContext } from "./context.ts";
import { printable } from "../base/printable.ts";
import { Secret } from "../base/secret.ts";
import type { IdentityToken } from "../sts/identity-token.ts";

interface MetadataSource {
  readonly audience: string;
  readonly serviceAccount: string;
}

/** A clock that is further off than this is worth a word with `--verbose`. */
const NOTABLE_SKEW_MS = 30_000;

/**
 * The identity token of a service account from the metadata server
 * (https://cloud.google.com/compute/docs/instances/verifying-instance-identity), `format=full`. Its times are judged by
 * the server's `Date`, so that a machine whose clock is off still gets its credentials: AWS judges by its own clock.
 *
 * @throws Failure what `askMetadata` throws; IDENTITY_UNAVAILABLE when the service account is not attached,
 *   IDENTITY_DENIED when it may not have a token, IDENTITY_INVALID_RESPONSE for an answer that is no token, and what `checkToken`
 *   throws.
 */
export async function tokenFromMetadata(source: MetadataSource, context: IdentityContext): Promise<IdentityToken> {
  // An e-mail address keeps its `@`, which is legal in a path and what Google's libraries send.
  const account = encodeURIComponent(source.serviceAccount).replaceAll("%40", "@");
  const audience = encodeURIComponent(source.audience);
  const answer = await askMetadata(
    `instance/service-accounts/${account}/identity?audience=${audience}&format=full`,
    context,
  );
  if (answer.status !== 200) throw refusal(answer, source.serviceAccount);
  const now = answer.date ?? context.clock.now();
  const skew = context.clock.now().getTime() - now.getTime();
  if (Math.abs(skew) > NOTABLE_SKEW_MS) {
    context.verbose(`identity: this machine's clock is ${Math.round(skew / 1000)} s ahead of the metadata server's`);
  }
  const describe = `the answer of the metadata server at ${answer.host}`;
  return checkAnsweredToken(answer.body, describe, context.clock, {
    audience: source.audience,
    serverTime: answer.date,
  });
}

/**
 * An access token of the machine's own service account, to impersonate another one with.
 *
 * @throws Failure what `askMetadata` throws; IDENTITY_UNAVAILABLE, IDENTITY_DENIED and IDENTITY_INVALID_RESPONSE as above.
 */
export async function accessTokenFromMetadata(context: IdentityContext): Promise<Secret> {
  const answer = await askMetadata("instance/service-accounts/default/token", context);
  if (answer.status !== 200) throw refusal(answer, "default");
  return new Secret(textInJson(answer.body, "access_token", `the answer of the metadata server at ${answer.host}`));
}

/**
 * The parts of the default session name, as doitintl/janus makes it (`'{}.{}'.format(project_id, instance_name)[:64]`
 * with `instance/hostname`): people search their CloudTrail for it.
 *
 * @returns `unknown` for what the server does not know, as Cloud Run's does not know a host name.
 * @throws Failure what `askMetadata` throws.
 */
export async function instancePlaceholders(
  context: IdentityContext,
): Promise<{ readonly project: string; readonly instance: string }> {
  const [project, instance] = await Promise.all([
    readText("project/project-id", context),
    readText("instance/hostname", context),
  ]);
  return { project, instance };
}

async function readText(path: string, context: IdentityContext): Promise<string> {
  const answer = await askMetadata(path, context);
  const text = printable(answer.body, 256);
  return answer.status === 200 && text !== "" ? text : "unknown";
}

/** GKE's own metadata server tells in words that its pod has no Google account; the words themselves are not shown. */
const NOT_ANNOTATED = /iam\.gke\.io\/gcp-service-account/;

function refusal(answer: MetadataAnswer, serviceAccount: string): Failure {
  const account = printable(serviceAccount);
  const server = `the metadata server at ${answer.host}`;
  if (answer.status === 404 && NOT_ANNOTATED.test(answer.body)) {
    return new Failure("IDENTITY_UNAVAILABLE", `${server} has no Google service account for this pod (status 404)`, {
      hint: "annotate the pod's Kubernetes account: `kubectl annotate serviceaccount NAME iam.gke.io/gcp-service-account=EMAIL`, and give it roles/iam.workloadIdentityUser on EMAIL",
    });
  }
  if (answer.status === 404) {
    return new Failure("IDENTITY_UNAVAILABLE", `${server} knows no service account \`${account}\` (status 404)`, {
      hint: "attach one: `gcloud compute instances set-service-account VM --service-account=EMAIL --scopes=cloud-platform` (the VM must be stopped); on GKE link one to the pod's Kubernetes account",
    });
  }
  if (answer.status === 401 || answer.status === 403) {
    return new Failure("IDENTITY_DENIED", `${server} gives no token for \`${account}\` (status ${answer.status})`, {
      hint: "on GKE the pod's Kubernetes account needs a role on the service account: `gcloud iam service-accounts add-iam-policy-binding EMAIL --role=roles/iam.workloadIdentityUser --member='serviceAccount:PROJECT.svc.id.goog[NAMESPACE/NAME]'`",
    });
  }
  return new Failure(
    "IDENTITY_INVALID_RESPONSE",
    `${server} answered with status ${answer.status} instead of a token`,
    {
      hint: "check `audience`, `service_account` and any proxy in between; redirects are not followed",
    },
  );
}
