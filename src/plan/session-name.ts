import type { ProfileSpec } from "../config/config.ts";

/** What the placeholders of `role_session_name` stand for. `project` and `instance` cost a call to the metadata server. */
export interface SessionNameValues {
  readonly profile: string;
  readonly hostname: string;
  readonly project?: string;
  readonly instance?: string;
}

/**
 * The template of a profile's role session name. For Google the default is that of doitintl/janus (janus.py,
 * `'{}.{}'.format(project_id, instance_name)[:64]`), which people's CloudTrail searches rely on; elsewhere the host's name.
 */
export function sessionNameTemplate(spec: Pick<ProfileSpec, "sessionName" | "source">): string {
  if (spec.sessionName !== undefined) return spec.sessionName;
  const google = spec.source.kind === "web-identity" && spec.source.identity.kind === "gcp-metadata";
  return google ? "{project}.{instance}" : "{hostname}";
}

/** Whether the template needs the metadata server. */
export function needsInstance(template: string): boolean {
  return /\{(project|instance)\}/.test(template);
}

/**
 * Fills in a template and makes it valid for STS (`[\w+=,.@-]{2,64}`, AssumeRole API reference): other characters become
 * `-`, the end is cut, a single character is filled up with a `-`.
 */
export function renderSessionName(template: string, values: SessionNameValues): string {
  const filled = template.replaceAll(
    /\{(profile|hostname|project|instance)\}/g,
    (_, name: keyof SessionNameValues) => values[name] ?? "unknown",
  );
  const valid = clean(filled).slice(0, 64);
  return valid === "" ? "rolefresh" : valid.padEnd(2, "-");
}

/**
 * Whether a session may be the one that the template names, as far as that can be known without asking the metadata
 * server: what it would say matches anything.
 */
export function matchesTemplate(template: string, session: string, values: SessionNameValues): boolean {
  if (!needsInstance(template)) return renderSessionName(template, values) === session;
  if (session.length === 64) return true;
  const pattern = template
    .split(/(\{project\}|\{instance\})/)
    .map((part) => (/^\{(project|instance)\}$/.test(part) ? "[\\w+=,.@-]+" : escape(clean(fillLocal(part, values)))))
    .join("");
  return new RegExp(`^${pattern}$`).test(session);
}

function fillLocal(text: string, values: SessionNameValues): string {
  return text.replaceAll("{profile}", values.profile).replaceAll("{hostname}", values.hostname);
}

function clean(text: string): string {
  // By code point: a character outside the BMP is one character to the person who wrote it.
  return text.replaceAll(/[^\w+=,.@-]/gu, "-");
}

function escape(text: string): string {
  return text.replaceAll(/[.+\\^$*?()[\]{}|]/g, "\\$&");
}
