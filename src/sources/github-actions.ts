import { isLoopbackHost } from "../base/host.ts";
import { Failure } from "../base/failure.ts";
import { Secret } from "../base/secret.ts";
import type { Environment } from "../base/world.ts";
import { checkAnsweredToken } from "./token-response.ts";
import { headerValue } from "../net/http.ts";
import { textInJson } from "../net/json-response.ts";
import type { IdentityContext } from "./context.ts";
import type { IdentityToken } from "../sts/identity-token.ts";
import { askTokenServer } from "./token-server.ts";

const PERMISSION = "give the job the permission in its workflow: `permissions: { id-token: write, contents: read }`";

/**
 * The token of a GitHub Actions job: a GET of `$ACTIONS_ID_TOKEN_REQUEST_URL&audience=…` with the bearer token beside it
 * (https://docs.github.com/actions/reference/security/oidc; actions/toolkit, packages/core/src/oidc-utils.ts). Forgejo and
 * Gitea do the same, with a URL that may have no query yet.
 *
 * @throws Failure IDENTITY_UNAVAILABLE outside of a job, IDENTITY_DENIED in a job without `id-token: write` or when the
 *   endpoint refuses, otherwise as `askTokenServer`, `textInJson` and `checkToken`.
 */
export async function tokenFromGitHub(
  source: { readonly audience: string },
  context: IdentityContext,
): Promise<IdentityToken> {
  const { url, bearer } = endpointOf(context.env, source.audience);
  const server = {
    who: `the token endpoint of GitHub Actions at ${url.host}`,
    deniedHint: `${PERMISSION}; the request token ends with the job`,
    absentHint: "check ACTIONS_ID_TOKEN_REQUEST_URL, which the runner sets",
  };
  const headers = { Authorization: bearer, Accept: "application/json; api-version=2.0" };
  const answer = await askTokenServer({ url, headers }, server, context);
  const describe = `the answer of ${server.who}`;
  return checkAnsweredToken(textInJson(answer.body, "value", describe), describe, context.clock, {
    audience: source.audience,
    serverTime: answer.date,
  });
}

function endpointOf(env: Environment, audience: string): { readonly url: URL; readonly bearer: Secret } {
  const base = env["ACTIONS_ID_TOKEN_REQUEST_URL"];
  const bearer = env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
  if (!base || !bearer) {
    const missing = base ? "ACTIONS_ID_TOKEN_REQUEST_TOKEN" : "ACTIONS_ID_TOKEN_REQUEST_URL";
    if (env["GITHUB_ACTIONS"] === "true" || base || bearer) {
      throw new Failure(
        "IDENTITY_DENIED",
        `this GitHub Actions job may not have an identity token: ${missing} is not set`,
        {
          hint: `${PERMISSION}; jobs of pull requests from forks never get it`,
        },
      );
    }
    throw new Failure("IDENTITY_UNAVAILABLE", `this is no GitHub Actions job: ${missing} is not set`, {
      hint: "`github-actions` works only inside of a job; choose another `identity`",
    });
  }
  // Put behind the text as the toolkit does: reading the query and writing it again could change what is signed there.
  const text = `${base}${base.includes("?") ? "&" : "?"}audience=${encodeURIComponent(audience)}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !(url.protocol === "https:" || (url.protocol === "http:" && isLoopbackHost(url.hostname)))) {
    throw new Failure("IDENTITY_UNAVAILABLE", "ACTIONS_ID_TOKEN_REQUEST_URL is not an https URL");
  }
  return {
    url,
    bearer: headerValue(new Secret(bearer), "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "TOKEN_MALFORMED", "bearer "),
  };
}
