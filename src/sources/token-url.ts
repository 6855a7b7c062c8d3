import { Failure } from "../base/failure.ts";
import { Secret } from "../base/secret.ts";
import type { IdentitySource } from "../config/config.ts";
import { checkAnsweredToken } from "./token-response.ts";
import { headerValue } from "../net/http.ts";
import { textInJson } from "../net/json-response.ts";
import type { IdentityContext } from "./context.ts";
import type { IdentityToken } from "../sts/identity-token.ts";
import { askTokenServer } from "./token-server.ts";

type UrlSource = Extract<IdentitySource, { kind: "url" }>;

/**
 * The token that `identity_url` answers a GET with: the whole body, or the text at `identity_json_path`. `{env:NAME}` in
 * a header stands for the variable's value. Of the URL only the host is ever shown.
 *
 * @throws Failure TOKEN_MISSING when a header's variable is not set, TOKEN_MALFORMED when its value cannot stand in a
 *   header, IDENTITY_* as `askTokenServer`, IDENTITY_INVALID_RESPONSE for an answer without a token, and what `checkToken` throws.
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
  const answer = await askTokenServer({ url, headers }, server, context);
  const describe = `the answer of ${server.who}`;
  const token = source.jsonPath === undefined ? answer.body : textInJson(answer.body, source.jsonPath, describe);
  if (source.jsonPath === undefined && token.trimStart().startsWith("{")) {
    throw new Failure("IDENTITY_INVALID_RESPONSE", `${describe} is JSON and no token`, {
      hint: "say where the token stands in it, for example `identity_json_path = value`",
    });
  }
  return checkAnsweredToken(token, describe, context.clock, { audience: source.audience, serverTime: answer.date });
}

function fillIn(name: string, template: string, { env }: IdentityContext): Secret {
  const filled = template.replaceAll(/\{env:(\w+)\}/g, (_, variable: string) => {
    const value = env[variable];
    if (value === undefined || value === "") {
      throw new Failure("TOKEN_MISSING", `the environment variable ${variable} of the header ${name} is not set`, {
        hint: "cron and systemd pass on hardly any variables: set it in the crontab or in the unit's `Environment=`",
      });
    }
    return headerValue(new Secret(value), `the environment variable ${variable}`, "TOKEN_MALFORMED").reveal();
  });
  return new Secret(filled);
}
