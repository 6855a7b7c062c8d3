/** What the placeholders of `role_session_name` stand for. */
export interface SessionNameValues {
  readonly profile: string;
  readonly hostname: string;
  readonly project: string;
  readonly instance: string;
}

/** What stands when a name has nothing left that STS takes. */
const FALLBACK = "rolefresh";

/**
 * Fills in `{profile} {hostname} {project} {instance}` and makes the result valid for STS's `RoleSessionName`, which is
 * `[\w+=,.@-]*` of 2 to 64 ASCII characters (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html):
 * any other character becomes `-`, what is longer is cut, what is shorter is filled up with `-`. Braces around anything
 * else are characters like others.
 */
export function renderSessionName(template: string, values: SessionNameValues): string {
  const filled = template.replaceAll(
    /\{(profile|hostname|project|instance)\}/g,
    (_, name: keyof SessionNameValues) => values[name],
  );
  // By code point: a character outside the BMP is one character to the person who wrote it.
  const valid = filled.replaceAll(/[^A-Za-z0-9_+=,.@-]/gu, "-").slice(0, 64);
  return valid === "" ? FALLBACK : valid.padEnd(2, "-");
}

/** Whether a template needs the metadata server. */
export function needsInstance(template: string): boolean {
  return /\{(project|instance)\}/.test(template);
}
