import { join } from "node:path";
import { fromWorkingDirectory } from "../base/expand-path.ts";
import { Failure } from "../base/failure.ts";
import { readFileSafely, refusalOf } from "../safe-file/read-file.ts";
import { parseRecord } from "../net/json-response.ts";
import type { IdentityContext } from "./context.ts";

/** Google's credentials as read from a file, unvalidated. */
export interface GoogleCredentials {
  readonly path: string;
  /** `service_account`, `authorized_user`, `external_account`, … */
  readonly type: string;
  readonly json: Readonly<Record<string, unknown>>;
}

/** Keys are 2 to 4 kilobytes. */
const MAX_BYTES = 256 * 1024;

/**
 * Finds Application Default Credentials as Google's libraries do
 * (https://cloud.google.com/docs/authentication/application-default-credentials): `GOOGLE_APPLICATION_CREDENTIALS`, else
 * `application_default_credentials.json` in `CLOUDSDK_CONFIG`, else in `~/.config/gcloud`.
 *
 * @returns undefined when there are none: then the metadata server is next
 * @throws Failure TOKEN_MISSING when the named file does not exist, TOKEN_UNREADABLE, TOKEN_MALFORMED; the message quotes
 *   nothing of the file
 */
export async function findGoogleCredentials(context: IdentityContext): Promise<GoogleCredentials | undefined> {
  const named = context.env["GOOGLE_APPLICATION_CREDENTIALS"];
  if (named) return read(fromWorkingDirectory(named, context), "GOOGLE_APPLICATION_CREDENTIALS", context);
  const usual = context.home === undefined ? undefined : join(context.home, ".config", "gcloud");
  const directory = context.env["CLOUDSDK_CONFIG"] || usual;
  if (directory === undefined) return undefined;
  const path = join(fromWorkingDirectory(directory, context), "application_default_credentials.json");
  return read(path, undefined, context);
}

async function read(
  path: string,
  namedBy: string | undefined,
  { uid, deadline }: IdentityContext,
): Promise<GoogleCredentials | undefined> {
  // It may name servers to call and a program to run: anyone who can write it controls this process.
  const file = { path, maxBytes: MAX_BYTES, trust: "commands", uid } as const;
  const found = await readFileSafely(file, { interrupted: deadline.signal });
  if (found.kind === "absent") {
    if (namedBy === undefined) return undefined;
    throw new Failure("TOKEN_MISSING", `there is no key file ${path}`, {
      hint: `check ${namedBy}`,
      cause: found.cause,
    });
  }
  if (found.kind === "too-large") throw noCredentials(path, found.bytes);
  if (found.kind !== "read") {
    const { why, hint } = refusalOf(found, path);
    throw new Failure("TOKEN_UNREADABLE", `the Google credentials in ${path} cannot be used: ${why}`, { hint });
  }
  const json = parseRecord(found.bytes.toString("utf8"));
  const type = json?.["type"];
  if (json === undefined || typeof type !== "string") throw noCredentials(path, found.bytes.length);
  return { path, type, json };
}

function noCredentials(path: string, bytes: number): Failure {
  return new Failure("TOKEN_MALFORMED", `${path} holds no Google credentials (${bytes} bytes)`, {
    hint: "use a key's JSON, or run `gcloud auth application-default login`",
  });
}
