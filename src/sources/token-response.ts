import { Failure } from "../base/failure.ts";
import type { Clock } from "../base/world.ts";
import { checkToken } from "./jwt.ts";
import type { IdentityToken } from "../sts/identity-token.ts";

/** What an answer must fit, and what is known of it. */
export interface Expectation {
  readonly audience: string | undefined;
  /** Spellings of the audience that issuers also put into the token. */
  readonly otherAudiences?: readonly string[];
  /** The server's own time: the token's times are judged by it, so that a clock that is off does no harm. */
  readonly serverTime?: Date | undefined;
}

/**
 * Checks a token that a server or a program answered with: what is no JWT there is a broken answer, not a broken file.
 *
 * @throws Failure IDENTITY_INVALID_RESPONSE instead of TOKEN_MALFORMED, otherwise as `checkToken`.
 */
export function checkAnsweredToken(
  text: string,
  describe: string,
  clock: Pick<Clock, "now">,
  { serverTime, ...expected }: Expectation,
): IdentityToken {
  const ours = clock.now();
  try {
    const token = checkToken(text.trim(), { now: serverTime ?? ours, describe, ...expected });
    return serverTime === undefined ? token : { ...token, clockAheadMs: ours.getTime() - serverTime.getTime() };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "TOKEN_MALFORMED") throw error;
    throw new Failure("IDENTITY_INVALID_RESPONSE", error.message, { hint: error.hint, cause: error });
  }
}
