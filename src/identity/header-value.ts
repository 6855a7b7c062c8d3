import { Failure, type FailureCode } from "../base/failure.ts";

/**
 * A text that goes into a header (RFC 9110 5.5: visible characters, blanks and tabs), without the line end behind it.
 * Node would refuse anything else with an error that is no `Failure`.
 *
 * @param describe what it is, for the message, which never holds it
 * @throws Failure with the given code
 */
export function headerValue(text: string, describe: string, code: FailureCode): string {
  const value = text.trim();
  if (/^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value)) return value;
  throw new Failure(code, `${describe} holds what no header may hold`);
}
