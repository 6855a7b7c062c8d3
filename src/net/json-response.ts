import { Failure } from "../base/failure.ts";

/**
 * Takes a text out of a JSON answer by its path: `value`, `data.token`, `tokens[0].jwt`, with or without `$.` in front.
 *
 * @param describe whose answer it is, for messages, which never hold anything of it
 * @throws Failure IDENTITY_INVALID_RESPONSE when it is no JSON or there is no text at the path
 */
export function textInJson(body: string, path: string, describe: string): string {
  let value = parse(body, describe);
  for (const step of path.replace(/^\$\.?/, "").split(/[.[\]]+/)) {
    if (step !== "") value = memberOf(value, step);
  }
  if (typeof value === "string") return value;
  throw new Failure("IDENTITY_INVALID_RESPONSE", `${describe} has no text at \`${path}\``);
}

/** The text at a path of an answer that may be no JSON at all: undefined when there is none. */
export function findText(body: string, path: string): string | undefined {
  try {
    return textInJson(body, path, "the answer");
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

function parse(body: string, describe: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    const what = /^\s*</.test(body) ? "is an HTML page" : `is not JSON (${body.length} bytes)`;
    throw new Failure("IDENTITY_INVALID_RESPONSE", `${describe} ${what}`, {
      hint: /^\s*</.test(body) ? "a login page or a proxy stands between here and the server" : undefined,
    });
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

/** A text that is a JSON object, or undefined. The parser's message, which quotes the text, is dropped. */
export function parseRecord(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a value is a JSON object: neither an array nor null. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
