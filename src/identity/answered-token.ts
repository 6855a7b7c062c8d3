import { Failure } from "../base/failure.ts";
import type { Clock } from "../world.ts";
import { checkToken } from "./jwt.ts";
import type { IdentityToken } from "./token.ts";

/**
 * Checks a token that a server or a program answered with: what is no JWT there is a broken answer, not a broken file.
 *
 * @throws Failure IDENTITY_NONSENSE instead of TOKEN_MALFORMED, otherwise as `checkToken`.
 */
export function checkAnsweredToken(
  text: string,
  describe: string,
  clock: Pick<Clock, "now">,
  audience: string | undefined,
): IdentityToken {
  try {
    return checkToken(text.trim(), { now: clock.now(), audience, describe });
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "TOKEN_MALFORMED") throw error;
    throw new Failure("IDENTITY_NONSENSE", error.message, { hint: error.hint, cause: error });
  }
}
