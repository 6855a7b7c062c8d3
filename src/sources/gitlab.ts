import { Failure } from "../base/failure.ts";
import { readTokenVariable } from "./environment-variable.ts";
import type { IdentityContext } from "./context.ts";
import type { IdentityToken } from "../sts/identity-token.ts";

interface GitLabSource {
  readonly variable: string;
  readonly audience: string | undefined;
}

/**
 * The token that GitLab puts into the variable which the job's `id_tokens:` names
 * (https://docs.gitlab.com/ci/secrets/id_token_authentication/). `CI_JOB_JWT*` are gone since GitLab 17.
 *
 * @throws Failure IDENTITY_UNAVAILABLE outside of a job, TOKEN_MISSING in a job that asks for none, and what `checkToken`
 *   throws.
 */
export async function tokenFromGitLab(source: GitLabSource, context: IdentityContext): Promise<IdentityToken> {
  const { variable, audience } = source;
  if ((context.env[variable] ?? "") !== "") return readTokenVariable(source, context);
  if (context.env["GITLAB_CI"] === "true") {
    throw new Failure("TOKEN_MISSING", `this GitLab job has no identity token: $${variable} is not set`, {
      hint: `add to the job: \`id_tokens: { ${variable}: { aud: ${audience ?? "https://gitlab.com"} } }\``,
    });
  }
  throw new Failure("IDENTITY_UNAVAILABLE", `this is no GitLab job: neither $${variable} nor $GITLAB_CI is set`, {
    hint: "`gitlab` works only inside of a job; choose another `identity`",
  });
}
