import { Failure } from "../base/failure.ts";
import type { IdentityToken } from "../sts/identity-token.ts";
import type { IdentityContext } from "./context.ts";
import { checkToken } from "./jwt.ts";

interface VariableSource {
  readonly variable: string;
  readonly audience: string | undefined;
}

/** For a variable that is set in a shell and missing where rolefresh runs. */
export const VARIABLE_HINT =
  "set it in the crontab or in the unit's `Environment=`: cron and systemd pass on hardly any variables";

/**
 * The token in an environment variable, as GitLab's `id_tokens:`, CircleCI and Bitbucket provide it.
 *
 * @throws Failure TOKEN_MISSING when the variable is not set; as `checkToken`
 */
export async function readTokenVariable(source: VariableSource, context: IdentityContext): Promise<IdentityToken> {
  const { variable, audience } = source;
  const value = context.env[variable];
  if (value === undefined)
    throw new Failure("TOKEN_MISSING", `the environment variable ${variable} is not set`, { hint: VARIABLE_HINT });
  const describe = `the token in $${variable}`;
  return checkToken(value.trim(), { now: context.clock.now(), audience, describe });
}

/**
 * The token in the variable that a GitLab job's `id_tokens:` names
 * (https://docs.gitlab.com/ci/secrets/id_token_authentication/).
 *
 * @throws Failure IDENTITY_UNAVAILABLE outside of a job, TOKEN_MISSING in a job without one; as `checkToken`
 */
export async function tokenFromGitLab(source: VariableSource, context: IdentityContext): Promise<IdentityToken> {
  const { variable, audience } = source;
  if (context.env[variable]) return readTokenVariable(source, context);
  if (context.env["GITLAB_CI"] === "true") {
    throw new Failure("TOKEN_MISSING", `this GitLab job has no identity token: $${variable} is not set`, {
      hint: `add to the job: \`id_tokens: { ${variable}: { aud: ${audience ?? "https://gitlab.com"} } }\``,
    });
  }
  throw new Failure("IDENTITY_UNAVAILABLE", `not running in a GitLab job: $${variable} and $GITLAB_CI are not set`, {
    hint: "choose another `identity`: `gitlab` works only in a GitLab job",
  });
}
