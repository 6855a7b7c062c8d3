import type { IdentityToken } from "../sts/identity-token.ts";
import { commandOutput } from "./command-output.ts";
import type { IdentityContext } from "./context.ts";
import { checkResponseToken } from "./jwt.ts";

/**
 * The token that `identity_command` prints.
 *
 * @throws Failure as `commandOutput` and `checkResponseToken`
 */
export async function tokenFromCommand(
  source: { readonly command: string; readonly audience: string | undefined },
  context: IdentityContext,
): Promise<IdentityToken> {
  const output = await commandOutput("`identity_command`", source.command, context);
  context.verbose("identity: `identity_command` ended with exit 0");
  return checkResponseToken(output, "the output of `identity_command`", context.clock, source);
}
