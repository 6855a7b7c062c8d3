import { fromWorkingDirectory } from "../base/expand-path.ts";
import { readSecretFile } from "./read-secret-file.ts";
import { checkToken, MAX_TOKEN_LENGTH, tooLong } from "./jwt.ts";
import type { IdentityContext } from "./context.ts";
import type { IdentityToken } from "../sts/identity-token.ts";

/**
 * Reads the token of a `web_identity_token_file`, through symlinks, because kubelet projects the file behind a `..data` link
 * (https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/; refusing symlinks broke that in
 * aws-actions/configure-aws-credentials#1805).
 *
 * @throws Failure as `readSecretFile` and `checkToken`
 */
export async function readTokenFile(
  source: { readonly path: string; readonly audience: string | undefined },
  context: IdentityContext,
): Promise<IdentityToken> {
  const path = fromWorkingDirectory(source.path, context);
  const describe = `the token in ${path}`;
  const file = {
    path,
    what: "token file",
    key: "web_identity_token_file",
    maxBytes: MAX_TOKEN_LENGTH * 2,
    tooLong: (size: number) => tooLong(describe, size),
  };
  const bytes = await readSecretFile(file, { interrupted: context.deadline.signal });
  const text = bytes.toString("latin1");
  context.verbose(`identity: read ${text.length} bytes from ${path}`);
  return checkToken(text.trim(), { now: context.clock.now(), audience: source.audience, describe });
}
