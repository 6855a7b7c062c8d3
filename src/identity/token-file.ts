import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { resolve } from "node:path";
import { errnoOf, Failure } from "../base/failure.ts";
import { checkToken, MAX_TOKEN_LENGTH, tooLong } from "./jwt.ts";
import type { IdentityContext } from "./obtain.ts";
import type { IdentityToken } from "./token.ts";

/**
 * Reads the token of a `web_identity_token_file`: anew each time, because its writer replaces it (kubelet rotates at
 * 80 % of the token's life), and through symlinks, because kubelet projects the file behind a `..data` link
 * (https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/; refusing symlinks broke that in
 * aws-actions/configure-aws-credentials#1805).
 *
 * @throws Failure TOKEN_MISSING when there is no such file, TOKEN_UNREADABLE when it may not be read or is no regular
 *   file, and what `checkToken` throws.
 */
export async function readTokenFile(
  source: { readonly path: string; readonly audience: string | undefined },
  context: IdentityContext,
): Promise<IdentityToken> {
  const path = resolve(context.cwd, source.path);
  const describe = `the token in ${path}`;
  const text = await readCapped(path, describe);
  context.verbose(`identity: read ${text.length} bytes from ${path}`);
  return checkToken(text.trim(), { now: context.clock.now(), audience: source.audience, describe });
}

async function readCapped(path: string, describe: string): Promise<string> {
  try {
    // Without O_NONBLOCK a FIFO that nobody writes would hold the run for ever, past its deadline.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return await readRegularFile(file, path, describe);
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = errnoOf(error);
    if (error instanceof Failure || code === undefined) throw error;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new Failure("TOKEN_MISSING", `there is no token file ${path}`, {
        hint: "look at `web_identity_token_file` and at whatever should write it",
        cause: error,
      });
    }
    throw new Failure("TOKEN_UNREADABLE", `the token file ${path} cannot be read (${code})`, {
      hint: `look at its owner and mode with \`ls -lL ${path}\`; it must be readable by the user that runs rolefresh`,
      cause: error,
    });
  }
}

async function readRegularFile(file: FileHandle, path: string, describe: string): Promise<string> {
  const stat = await file.stat();
  if (!stat.isFile()) {
    throw new Failure("TOKEN_UNREADABLE", `the token file ${path} is not a regular file`, {
      hint: "set `web_identity_token_file` to the file that holds the token itself",
    });
  }
  if (stat.size > MAX_TOKEN_LENGTH * 2) throw tooLong(describe, stat.size);
  return (await file.readFile()).toString("latin1");
}
