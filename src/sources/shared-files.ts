import type { Deadline } from "../base/deadline.ts";
import { fromWorkingDirectory } from "../base/expand-path.ts";
import { Failure } from "../base/failure.ts";
import { readFileSafely } from "../safe-file/read-file.ts";
import { readTrustedText } from "../safe-file/read-text.ts";

interface Context {
  readonly cwd: string | undefined;
  readonly uid: number | undefined;
  readonly deadline: Deadline;
}

type Sections = Readonly<Record<string, Readonly<Record<string, string | undefined>>>>;

/** botocore and the SDKs read them whole as well; one of a thousand profiles has 200 kB. */
const MAX_BYTES = 32 * 1024 * 1024;
/** STS takes a token of 20,000 characters. */
const MAX_TOKEN_BYTES = 64 * 1024;

/**
 * Reads AWS's own files for the SDK and hands it their content, so that it opens nothing by itself: it would wait for the
 * writer of a FIFO, and take from another user's file the command to run as root (`credential_process`).
 *
 * @param paths absolute; a file that is not there is empty
 * @throws Failure CONFIG_INVALID; the deadline's reason
 */
export async function handOver(paths: readonly string[], { uid, deadline }: Context): Promise<void> {
  const { externalDataInterceptor } = await import("@smithy/shared-ini-file-loader");
  for (const path of paths) {
    // What people name to have no such file.
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
 * Likewise with every `web_identity_token_file` of them, which the SDK reads with a call that blocks the process. One that
 * cannot be read is left to the SDK to tell, if the profile needs it at all.
 *
 * @throws Failure CONFIG_INVALID for one that is no regular file; the deadline's reason
 */
export async function handOverTokens(
  files: { readonly configFile: Sections; readonly credentialsFile: Sections },
  { cwd, deadline }: Context,
): Promise<void> {
  const { externalDataInterceptor } = await import("@smithy/shared-ini-file-loader");
  const sections = [...Object.values(files.configFile), ...Object.values(files.credentialsFile)];
  for (const named of new Set(sections.map((section) => section["web_identity_token_file"]))) {
    if (named === undefined) continue;
    const path = fromWorkingDirectory(named, { cwd });
    const file = { path, maxBytes: MAX_TOKEN_BYTES, trust: "data", uid: undefined } as const;
    const read = await readFileSafely(file, { interrupted: deadline.signal });
    if (read.kind === "read") externalDataInterceptor.interceptToken(named, read.bytes.toString("latin1"));
    else if (read.kind !== "absent" && read.kind !== "unreadable")
      throw new Failure(
        "CONFIG_INVALID",
        `the web_identity_token_file ${path} is not a regular file of a token's size`,
      );
  }
}
