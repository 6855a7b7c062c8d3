import { Failure } from "../base/failure.ts";
import { describeEnd, runProgram } from "../base/program.ts";
import type { IdentityToken } from "../sts/identity-token.ts";
import { outputOf } from "./command-output.ts";
import type { IdentityContext } from "./context.ts";
import { checkResponseToken } from "./jwt.ts";

interface GcloudSource {
  readonly audience: string | undefined;
  readonly serviceAccount: string | undefined;
}

/**
 * The token that `gcloud auth print-identity-token` prints
 * (https://cloud.google.com/sdk/gcloud/reference/auth/print-identity-token), with `--audiences` and
 * `--impersonate-service-account` where they are configured. gcloud is found in the run's `PATH` and never prompts.
 *
 * @throws Failure IDENTITY_UNAVAILABLE when there is no gcloud, IDENTITY_DENIED when its account may not or cannot have
 *   such a token, IDENTITY_TEMPORARY for any other failure; as `checkResponseToken`
 */
export async function tokenFromGcloud(source: GcloudSource, context: IdentityContext): Promise<IdentityToken> {
  const args = ["auth", "print-identity-token", "--quiet"];
  if (source.audience !== undefined) args.push(`--audiences=${source.audience}`);
  if (source.serviceAccount !== undefined) args.push(`--impersonate-service-account=${source.serviceAccount}`);
  const program = { file: "gcloud", args, name: "`gcloud`", env: { CLOUDSDK_CORE_DISABLE_PROMPTS: "1" } };
  const end = await runProgram(program, context);
  if (end.kind === "not-started") {
    throw new Failure("IDENTITY_UNAVAILABLE", `\`gcloud\` ${describeEnd(end)}`, {
      hint: "install the Google Cloud CLI, or add its directory to the PATH of the crontab or unit",
    });
  }
  if (end.kind === "exit" && end.status !== 0) throw gcloudFailure(describeEnd(end), end.complaint, source);
  const output = outputOf(end, "`gcloud`");
  context.verbose("identity: `gcloud auth print-identity-token` ended with exit 0");
  return checkResponseToken(output, "the output of `gcloud`", context.clock, source);
}

/** gcloud exits 1 for everything; its stderr says more (auth/print_identity_token.py, core/credentials). */
function gcloudFailure(how: string, complaint: string, { serviceAccount }: GcloudSource): Failure {
  const message = `\`gcloud auth print-identity-token\` ${how}`;
  const denied = (hint: string) => new Failure("IDENTITY_DENIED", message, { hint });
  if (/invalid account type for .--audiences/i.test(complaint)) return denied(USER_AUDIENCE_HINT);
  if (/PERMISSION_DENIED|getOpenIdToken|403/.test(complaint)) {
    const account = serviceAccount ?? "the service account";
    return denied(`grant gcloud's account the role roles/iam.serviceAccountOpenIdTokenCreator on ${account}`);
  }
  if (/active account|auth login|reauthenticat|invalid_grant|credentials? (is|are) invalid/i.test(complaint))
    return denied(
      "run `gcloud auth login` (or `gcloud auth activate-service-account`) as the user that runs rolefresh",
    );
  return new Failure("IDENTITY_TEMPORARY", message, { hint: "run the command by hand as the same user" });
}

/** For a user account that is asked for a token for an audience, which Google issues to service accounts only. */
export const USER_AUDIENCE_HINT =
  "set `service_account` to one that the user may impersonate, or remove `audience`: a user account gets no token for it";
