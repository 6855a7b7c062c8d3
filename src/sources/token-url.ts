import { Failure } from "../base/failure.ts";
import { Secret } from "../base/secret.ts";
import type { IdentitySource } from "../config/config.ts";
import { headerValue } from "../net/http.ts";
import type { IdentityToken } from "../sts/identity-token.ts";
import type { IdentityContext } from "./context.ts";
import { VARIABLE_HINT } from "./environment-variable.ts";
import { requestToken } from "./token-server.ts";

type UrlSource = Extract<IdentitySource, { kind: "url" }>;

/**
 * The token in the response to a GET of `identity_url`: the whole body, or the text at `identity_json_path`. `{env:NAME}` in
 * a header is replaced by the variable's value. Only the host of the URL is ever shown.
 *
 * @throws Failure TOKEN_MISSING when a header's variable is not set, TOKEN_MALFORMED when a header cannot hold its value;
 *   as `requestToken`
 */
export async function tokenFromUrl(source: UrlSource, context: IdentityContext): Promise<IdentityToken> {
  const url = new URL(source.url);
  const server = {
    who: `\`identity_url\` at ${url.host}`,
    deniedHint: "check `identity_header` and the secrets that it names",
    absentHint: "check `identity_url`",
  };
  const headers = Object.fromEntries(
    source.headers.map(({ name, template }) => [name, fillIn(name, template, context)]),
  );
  const { jsonPath, audience } = source;
  return requestToken({ url, headers }, server, { jsonPath, audience }, context);
}

function fillIn(name: string, template: string, { env }: IdentityContext): Secret {
  const filled = template.replaceAll(/\{env:(\w+)\}/g, (_, variable: string) => {
    const value = env[variable];
    if (!value) {
      const cause = `the environment variable ${variable} of the header ${name} is not set`;
      throw new Failure("TOKEN_MISSING", cause, { hint: VARIABLE_HINT });
    }
    return headerValue(new Secret(value), `the environment variable ${variable}`, "TOKEN_MALFORMED").reveal();
  });
  return new Secret(filled);
}
