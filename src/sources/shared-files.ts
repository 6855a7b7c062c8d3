import type { Deadline } from "../base/deadline.ts";
import { fromWorkingDirectory } from "../base/expand-path.ts";
import { Failure } from "../base/failure.ts";
import { readFileSafely, readTrustedText } from "../safe-file/read-file.ts";

interface Context {
  readonly cwd: string | undefined;
  readonly uid: number | undefined;
  readonly deadline: Deadline;
}

/** The keys of one profile. */
export type Settings = Readonly<Record<string, string | undefined>>;

/** `~/.aws/config` and `~/.aws/credentials` as the SDK's loader parses them. */
export interface SharedFiles {
  readonly configFile: Readonly<Record<string, Settings>>;
  readonly credentialsFile: Readonly<Record<string, Settings>>;
}

/** botocore and the SDKs read them whole as well; one of a thousand profiles has 200 kB. */
const MAX_BYTES = 32 * 1024 * 1024;
/** STS accepts a token of 20,000 characters. */
const MAX_TOKEN_BYTES = 64 * 1024;

/**
 * Reads AWS's own files and passes their content to the SDK, so that it opens none itself: it would wait for the writer of a
 * FIFO, and take from another user's file the command to run as root (`credential_process`).
 *
 * @param paths absolute; a file that does not exist is empty
 * @throws Failure CONFIG_INVALID; the deadline's reason
 */
export async function interceptSharedFiles(paths: readonly string[], { uid, deadline }: Context): Promise<void> {
  const { externalDataInterceptor } = await import("@smithy/shared-ini-file-loader");
  for (const path of paths) {
    // /dev/null is what people set to have no such file.
    const read =
      path === "/dev/null"
        ? { text: "" }
        : await readTrustedText({ path, maxBytes: MAX_BYTES, uid }, { interrupted: deadline.signal });
    if (read.text === undefined && !read.isAbsent)
      throw new Failure("CONFIG_INVALID", `the AWS config ${path} cannot be used: ${read.why}`, { hint: read.hint });
    externalDataInterceptor.interceptFile(path, read.text ?? "");
  }
}

/**
 * Passes every `web_identity_token_file` of them to the SDK, which would read it with a call that blocks the process. One
 * that is missing or unreadable is left to the SDK, which reports it if the profile needs it.
 *
 * @throws Failure CONFIG_INVALID for one that is not a regular file; the deadline's reason
 */
export async function interceptTokenFiles(files: SharedFiles, { cwd, deadline }: Context): Promise<void> {
  const { externalDataInterceptor } = await import("@smithy/shared-ini-file-loader");
  const sections = [...Object.values(files.configFile), ...Object.values(files.credentialsFile)];
  for (const named of new Set(sections.map((section) => section["web_identity_token_file"]))) {
    if (named === undefined) continue;
    const path = fromWorkingDirectory(named, { cwd });
    const file = { path, maxBytes: MAX_TOKEN_BYTES, trust: "data", uid: undefined } as const;
    const read = await readFileSafely(file, { interrupted: deadline.signal });
    if (read.kind === "read") externalDataInterceptor.interceptToken(named, read.bytes.toString("latin1"));
    else if (read.kind !== "absent" && read.kind !== "unreadable") {
      const cause = `the web_identity_token_file ${path} is not a regular file of at most ${MAX_TOKEN_BYTES} bytes`;
      throw new Failure("CONFIG_INVALID", cause);
    }
  }
}
