import { Failure } from "../base/failure.ts";
import { checkToken } from "./jwt.ts";
import type { IdentityContext } from "./context.ts";
import type { IdentityToken } from "../sts/identity-token.ts";

/**
 * The token in an environment variable, as GitLab's `id_tokens:`, CircleCI and Bitbucket hand it over.
 *
 * @throws Failure TOKEN_MISSING when the variable is not set, and what `checkToken` throws.
 */
export async function readTokenVariable(
  source: { readonly variable: string; readonly audience: string | undefined },
  context: IdentityContext,
): Promise<IdentityToken> {
  const value = context.env[source.variable];
  if (value === undefined) {
    throw new Failure("TOKEN_MISSING", `the environment variable ${source.variable} is not set`, {
      hint: "cron and systemd pass on hardly any variables: set it in the crontab or in the unit's `Environment=`",
    });
  }
  const describe = `the token in $${source.variable}`;
  return checkToken(value.trim(), { now: context.clock.now(), audience: source.audience, describe });
}
