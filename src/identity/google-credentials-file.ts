import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { errnoOf, Failure } from "../base/failure.ts";
import { isRecord } from "./json-answer.ts";
import type { IdentityContext } from "./obtain.ts";

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
  if (named) return read(resolve(context.cwd, named), "GOOGLE_APPLICATION_CREDENTIALS");
  const directory = context.env["CLOUDSDK_CONFIG"] || join(context.home, ".config", "gcloud");
  return read(resolve(context.cwd, directory, "application_default_credentials.json"), undefined);
}

async function read(path: string, namedBy: string | undefined): Promise<GoogleCredentials | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    if (errno === "ENOENT" || errno === "ENOTDIR") {
      if (namedBy === undefined) return undefined;
      throw new Failure("TOKEN_MISSING", `there is no key file ${path}`, { hint: `look at ${namedBy}`, cause: error });
    }
    throw new Failure("TOKEN_UNREADABLE", `the credentials of Google ${path} cannot be read (${errno})`, {
      hint: `it must be readable by the user that runs rolefresh: ls -lL ${path}`,
      cause: error,
    });
  }
  const json = text.length > MAX_BYTES ? undefined : parse(text);
  const type = json?.["type"];
  if (json === undefined || typeof type !== "string") {
    throw new Failure("TOKEN_MALFORMED", `${path} holds no credentials of Google (${text.length} bytes)`, {
      hint: "it must be a key's JSON, or what `gcloud auth application-default login` writes",
    });
  }
  return { path, type, json };
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
