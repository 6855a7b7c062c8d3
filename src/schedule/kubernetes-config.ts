/** The configuration inside a pod, and where things are there. */

/** Where the credentials file stands, in rolefresh's container and in the app's. */
export const KUBERNETES_DIRECTORY = "/var/run/rolefresh/aws";

/** The projected service account token. */
export const KUBERNETES_TOKEN = "/var/run/rolefresh/token/token";

/** A key of a ConfigMap with a text of several lines as its value. */
export function toBlock(key: string, text: string, indent: number): readonly string[] {
  const blank = " ".repeat(indent);
  // A literal block cannot hold every text (YAML 1.2, 8.1): carriage returns, a first line that is indented.
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/^[ \t\n]|[^\n]$|\n\n$|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]/.test(text) || text === "") {
    return [`${blank}${key}: ${JSON.stringify(text)}`];
  }
  const lines = text.slice(0, -1).split("\n");
  return [`${blank}${key}: |`, ...lines.map((line) => (line === "" ? "" : `${blank}  ${line}`))];
}
