import { Failure, type FailureCode } from "../base/failure.ts";
import { Secret } from "../base/secret.ts";

/**
 * A secret text that goes into a header (RFC 9110 5.5: visible characters, blanks and tabs), without the line end behind it.
 * Node would refuse anything else with an error that is no `Failure`.
 *
 * @param describe what it is, for the message, which never holds it
 * @param scheme goes before it: `Bearer `
 * @throws Failure with the given code
 */
export function headerValue(text: Secret, describe: string, code: FailureCode, scheme = ""): Secret {
  const value = text.reveal().trim();
  if (/^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value)) return new Secret(`${scheme}${value}`);
  throw new Failure(code, `${describe} holds what no header may hold`);
}
