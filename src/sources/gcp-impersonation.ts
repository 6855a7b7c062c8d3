import { isLoopbackHost } from "../base/host.ts";
import { Failure } from "../base/failure.ts";
import type { Secret } from "../base/secret.ts";
import { checkAnsweredToken } from "./token-response.ts";
import { headerValue } from "../net/http.ts";
import { textInJson } from "../net/json-response.ts";
import type { IdentityContext } from "./context.ts";
import type { IdentityToken } from "../sts/identity-token.ts";
import { askTokenServer } from "./token-server.ts";

/** Whose token is wanted, and by whom it is asked for in the end (`generateIdToken` of the IAM Credentials API). */
export interface Impersonation {
  /** E-mail address or unique ID. */
  readonly serviceAccount: string;
  readonly audience: string;
  /** Service accounts between, nearest first. */
  readonly delegates: readonly string[];
}

/**
 * The identity token of a service account that the caller may impersonate: IAM Credentials `generateIdToken`
 * (https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateIdToken).
 *
 * `useEmailAzp` is sent as false, always: then `azp`, which AWS compares with `accounts.google.com:aud`, is the account's
 * unique ID, as in the tokens of the metadata server, and one trust policy fits both. google-auth-library sends true
 * (googleapis/google-auth-library-python#1263), which puts the e-mail address there.
 *
 * @param accessToken of the caller, with the scope `cloud-platform`.
 * @throws Failure IDENTITY_DENIED when the caller may not, or there is no such account; otherwise as `askTokenServer`,
 *   `textInJson` and `checkToken`.
 */
export async function tokenByImpersonation(
  wanted: Impersonation,
  accessToken: Secret,
  context: IdentityContext,
): Promise<IdentityToken> {
  const { serviceAccount, audience, delegates } = wanted;
  const account = encodeURIComponent(serviceAccount).replaceAll("%40", "@");
  const url = new URL(`v1/projects/-/serviceAccounts/${account}:generateIdToken`, endpointOf(context));
  const hint =
    `give the calling account the role roles/iam.serviceAccountOpenIdTokenCreator on ${serviceAccount} ` +
    "(`gcloud iam service-accounts add-iam-policy-binding`), and enable iamcredentials.googleapis.com in its project";
  const server = {
    who: `IAM Credentials at ${url.host}`,
    deniedHint: hint,
    absentHint: "check CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS and the network",
    // Google hides from strangers whether an account exists.
    judge: ({ status }: { readonly status: number }) =>
      status === 404
        ? new Failure("IDENTITY_DENIED", `IAM Credentials knows no service account ${serviceAccount} (status 404)`, {
            hint,
          })
        : undefined,
  };
  const question = {
    url,
    method: "POST",
    headers: {
      Authorization: headerValue(accessToken, "the access token from Google", "IDENTITY_INVALID_RESPONSE", "Bearer "),
      "Content-Type": "application/json",
    },
    body: JSON.stringify({
      audience,
      includeEmail: true,
      useEmailAzp: false,
      delegates: delegates.map((name) => `projects/-/serviceAccounts/${name}`),
    }),
  } as const;
  const answer = await askTokenServer(question, server, context);
  const describe = `the answer of ${server.who}`;
  return checkAnsweredToken(textInJson(answer.body, "token", describe), describe, context.clock, {
    audience,
    serverTime: answer.date,
  });
}

/** gcloud's own variable for another endpoint (property `api_endpoint_overrides/iamcredentials`), such as a private one. */
function endpointOf({ env }: IdentityContext): URL {
  const named = env["CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS"];
  if (!named) return new URL("https://iamcredentials.googleapis.com/");
  const url = URL.canParse(named) ? new URL(named) : undefined;
  if (url !== undefined && (url.protocol === "https:" || (url.protocol === "http:" && isLoopbackHost(url.hostname)))) {
    return url.pathname.endsWith("/") ? url : new URL(`${url.href}/`);
  }
  throw new Failure("ENDPOINT_REFUSED", "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS is not an https URL");
}
