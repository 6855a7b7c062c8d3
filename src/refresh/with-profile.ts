import { Failure } from "../base/failure.ts";
import { shellWord } from "../output/shell-word.ts";

/**
 * Failures of the network rooms know nothing of profiles: they leave a `PROFILE` in the command that they hint at.
 *
 * @returns the same failure, with the profile in its message and hint; one that names it already is left as it is
 */
export function namingProfile(failure: Failure, profile: string): Failure {
  if (failure.message.includes(`[${profile}]`) || failure.message.startsWith(`profile '${profile}'`)) return failure;
  return new Failure(failure.code, `profile '${profile}': ${failure.message}`, {
    hint: failure.hint?.replace("trust-policy PROFILE", () => `trust-policy ${shellWord(profile)}`),
    cause: failure.cause,
  });
}
