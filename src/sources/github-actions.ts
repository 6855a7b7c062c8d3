import { Failure } from "../base/failure.ts";
import { Secret } from "../base/secret.ts";
import type { Environment } from "../base/world.ts";
import { headerValue } from "../net/http.ts";
import type { IdentityToken } from "../sts/identity-token.ts";
import type { IdentityContext } from "./context.ts";
import { requestToken, secureUrl } from "./token-server.ts";

const PERMISSION = "give the job the permission in its workflow: `permissions: { id-token: write, contents: read }`";

/**
 * The token of a GitHub Actions job: a GET of `$ACTIONS_ID_TOKEN_REQUEST_URL&audience=…` with the bearer token beside it
 * (https://docs.github.com/actions/reference/security/oidc; actions/toolkit, packages/core/src/oidc-utils.ts). Forgejo and
 * Gitea do the same, with a URL that may have no query yet.
 *
 * @throws Failure IDENTITY_UNAVAILABLE outside of a job, IDENTITY_DENIED in a job without `id-token: write`; as
 *   `requestToken`
 */
export async function tokenFromGitHub(
  { audience }: { readonly audience: string },
  context: IdentityContext,
): Promise<IdentityToken> {
  const { url, bearer } = endpointOf(context.env, audience);
  const server = {
    who: `the token endpoint of GitHub Actions at ${url.host}`,
    deniedHint: `${PERMISSION}; the request token ends with the job`,
    absentHint: "check ACTIONS_ID_TOKEN_REQUEST_URL, which the runner sets",
  };
  const headers = { Authorization: bearer, Accept: "application/json; api-version=2.0" };
  return requestToken({ url, headers }, server, { jsonPath: "value", audience }, context);
}

function endpointOf(env: Environment, audience: string): { readonly url: URL; readonly bearer: Secret } {
  const base = env["ACTIONS_ID_TOKEN_REQUEST_URL"];
  const bearer = env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
  if (!base || !bearer) {
    const missing = base ? "ACTIONS_ID_TOKEN_REQUEST_TOKEN" : "ACTIONS_ID_TOKEN_REQUEST_URL";
    if (env["GITHUB_ACTIONS"] === "true" || base || bearer) {
      throw new Failure("IDENTITY_DENIED", `this GitHub Actions job gets no identity token: ${missing} is not set`, {
        hint: `${PERMISSION}; jobs of pull requests from forks never get it`,
      });
    }
    throw new Failure("IDENTITY_UNAVAILABLE", `not running in a GitHub Actions job: ${missing} is not set`, {
      hint: "choose another `identity`: `github-actions` works only in a job",
    });
  }
  // Appended as text, as the toolkit does: parsing and rendering the query could change what is signed there.
  const url = secureUrl(`${base}${base.includes("?") ? "&" : "?"}audience=${encodeURIComponent(audience)}`);
  if (url === undefined) {
    throw new Failure("IDENTITY_UNAVAILABLE", "ACTIONS_ID_TOKEN_REQUEST_URL is not an https URL");
  }
  return {
    url,
    bearer: headerValue(new Secret(bearer), "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "TOKEN_MALFORMED", "bearer "),
  };
}
