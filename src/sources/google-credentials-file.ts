import { join } from "node:path";
import { fromWorkingDirectory } from "../base/expand-path.ts";
import { Failure } from "../base/failure.ts";
import { readFileSafely, refusalOf } from "../safe-file/read-file.ts";
import { isRecord } from "../net/json-response.ts";
import type { IdentityContext } from "./context.ts";

/** Google's credentials as they stand in a file, before anything about them is believed. */
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
 * @returns undefined when there are none: then the metadata server is next.
 * @throws Failure TOKEN_MISSING when the named file is not there, TOKEN_UNREADABLE, TOKEN_MALFORMED; nothing of the file's
 *   content is in the message.
 */
export async function findGoogleCredentials(context: IdentityContext): Promise<GoogleCredentials | undefined> {
  const named = context.env["GOOGLE_APPLICATION_CREDENTIALS"];
  if (named) return read(fromWorkingDirectory(named, context), "GOOGLE_APPLICATION_CREDENTIALS", context);
  const usual = context.home === undefined ? undefined : join(context.home, ".config", "gcloud");
  const directory = context.env["CLOUDSDK_CONFIG"] || usual;
  if (directory === undefined) return undefined;
  return read(
    join(fromWorkingDirectory(directory, context), "application_default_credentials.json"),
    undefined,
    context,
  );
}

async function read(
  path: string,
  namedBy: string | undefined,
  { uid, deadline }: IdentityContext,
): Promise<GoogleCredentials | undefined> {
  // It names the servers to ask and may name a program to run, so that it decides what this process does.
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
    throw new Failure("TOKEN_UNREADABLE", `the credentials of Google ${path} cannot be used: ${why}`, { hint });
  }
  const text = found.bytes.toString("utf8");
  const json = parse(text);
  const type = json?.["type"];
  if (json === undefined || typeof type !== "string") throw noCredentials(path, found.bytes.length);
  return { path, type, json };
}

function noCredentials(path: string, bytes: number): Failure {
  return new Failure("TOKEN_MALFORMED", `${path} holds no credentials of Google (${bytes} bytes)`, {
    hint: "it must be a key's JSON, or what `gcloud auth application-default login` writes",
  });
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
