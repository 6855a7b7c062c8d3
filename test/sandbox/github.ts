import { signToken, type TokenClaims } from "./google-token.ts";
import { jsonReply, startTokenService, textReply, timesAt, type TokenService } from "./token-service.ts";

/**
 * The token endpoint of GitHub Actions. Sources: GitHub docs, "OpenID Connect reference" (claims, the default audience is
 * the owner's URL); actions/toolkit, packages/core/src/oidc-utils.ts (request and answer).
 */

export const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";
export const GITHUB_SUBJECT = "repo:octo-org/octo-repo:ref:refs/heads/main";
const REQUEST_TOKEN = "eyJ0eXAi.request-token-of-the-job.c2ln";

export interface GitHub extends TokenService {
  /** What a job with `id-token: write` has in its environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** @param path Forgejo's has no query */
export async function startGitHub(
  options: { readonly path?: string; readonly claims?: TokenClaims; readonly now?: () => Date } = {},
): Promise<GitHub> {
  const now = options.now ?? (() => new Date());
  const service = await startTokenService(async ({ method, target, headers }) => {
    const url = new URL(target, "http://localhost");
    if (method !== "GET") return textReply("", 405);
    if (headers.authorization?.toLowerCase() !== `bearer ${REQUEST_TOKEN}`.toLowerCase()) return jsonReply({}, 401);
    const aud = url.searchParams.get("audience") ?? "https://github.com/octo-org";
    const claims = {
      iss: GITHUB_ISSUER,
      sub: GITHUB_SUBJECT,
      aud,
      repository: "octo-org/octo-repo",
      ...timesAt(now()),
    };
    const value = await signToken({ ...claims, ...options.claims });
    return jsonReply({ count: value.length, value });
  }, now);
  const path = options.path ?? "/AbC/00000000-0000-0000-0000-000000000000/_apis/idtoken?api-version=2.0&x=a%20b";
  return {
    ...service,
    env: {
      GITHUB_ACTIONS: "true",
      ACTIONS_ID_TOKEN_REQUEST_URL: `${service.url}${path}`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN,
    },
  };
}
