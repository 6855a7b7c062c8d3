import { Failure } from "../base/failure.ts";
import { checkAnsweredToken } from "./token-response.ts";
import type { IdentityContext } from "./context.ts";
import { runProgram } from "../base/program.ts";
import type { IdentityToken } from "../sts/identity-token.ts";

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
 *   such a token, IDENTITY_TEMPORARY for any other failure, IDENTITY_INVALID_RESPONSE when it prints something else, and what
 *   `checkToken` throws.
 */
export async function tokenFromGcloud(source: GcloudSource, context: IdentityContext): Promise<IdentityToken> {
  const args = ["auth", "print-identity-token", "--quiet"];
  if (source.audience !== undefined) args.push(`--audiences=${source.audience}`);
  if (source.serviceAccount !== undefined) args.push(`--impersonate-service-account=${source.serviceAccount}`);
  const environment = { CLOUDSDK_CORE_DISABLE_PROMPTS: "1" };
  const end = await runProgram("gcloud", args, context, "`gcloud` has not answered", environment);
  switch (end.kind) {
    case "not-started":
      throw new Failure("IDENTITY_UNAVAILABLE", `\`gcloud\` cannot be run (${end.errno})`, {
        hint: "install the Google Cloud CLI, or put its directory into the PATH of the crontab or unit",
      });
    case "too-much":
      throw new Failure("IDENTITY_INVALID_RESPONSE", `\`gcloud\` printed more than a token: over ${end.bytes} bytes`);
    case "signal":
      throw new Failure("IDENTITY_TEMPORARY", `\`gcloud\` was ended by ${end.signal}`);
    case "exit":
      if (end.status !== 0) throw gcloudFailure(end.status, end.complaint, source);
      context.verbose("identity: `gcloud auth print-identity-token` ended with exit 0");
      return checkAnsweredToken(end.stdout, "what `gcloud` printed", context.clock, source);
  }
}

/** gcloud exits 1 for everything; its words tell more (auth/print_identity_token.py, core/credentials). */
function gcloudFailure(status: number, complaint: string, source: GcloudSource): Failure {
  const message = `\`gcloud auth print-identity-token\` failed with exit ${status}${complaint === "" ? "" : `: ${complaint}`}`;
  if (/invalid account type for .--audiences/i.test(complaint)) {
    return new Failure("IDENTITY_DENIED", message, {
      hint: "a user account has no token for an audience: set `service_account` to one that it may impersonate, or leave `audience` out",
    });
  }
  if (/PERMISSION_DENIED|getOpenIdToken|403/.test(complaint)) {
    const account = source.serviceAccount ?? "the service account";
    return new Failure("IDENTITY_DENIED", message, {
      hint: `give gcloud's account the role roles/iam.serviceAccountOpenIdTokenCreator on ${account}`,
    });
  }
  if (/active account|auth login|reauthenticat|invalid_grant|credentials? (is|are) invalid/i.test(complaint)) {
    return new Failure("IDENTITY_DENIED", message, {
      hint: "run `gcloud auth login` (or `gcloud auth activate-service-account`) as the user that runs rolefresh",
    });
  }
  return new Failure("IDENTITY_TEMPORARY", message, { hint: "run the command by hand as the same user" });
}
