import type { Config, ConfigEnvironment, ProfileReference, ProfileSpec, RoleArn, RoleSource } from "./config.ts";
import type { ConfigKey } from "./keys.ts";
import { collectIssues, type IssueSink } from "./config-issues.ts";
import { usualCredentialsFile } from "../base/expand-path.ts";
import { configuredNameProblem } from "../base/profile-name.ts";
import { parseRoleArn, roleArnHint } from "./role-arn.ts";
import { expectedLifetimeMs } from "./lifetime.ts";
import { type IDENTITIES, readRoleSource } from "./role-source.ts";
import { type AmbientRegion, ambientRegion } from "./region.ts";
import { readEndpoint } from "./sts-endpoint.ts";
import { type RawConfig, type RawProfile, type SectionContext, SectionReader, show } from "./section.ts";
import { checkSources } from "./sources.ts";

/** What a configuration is checked against besides itself. */
export interface ValidateContext extends SectionContext {
  readonly env: ConfigEnvironment;
  readonly cwd: string | undefined;
  /** `--credentials-file`, absolute; beats `credentials_file`. */
  readonly credentialsFile: string | undefined;
  /** The identity of a profile that names none; only the config-free form has one. */
  readonly defaultIdentity: (typeof IDENTITIES)[number] | undefined;
}

/**
 * Checks a configuration. A section that stands several times is checked each time, though it is an issue already.
 *
 * @throws ConfigIssues with everything that is wrong
 */
export function validateConfig(raw: RawConfig, context: ValidateContext, issues = collectIssues()): Config {
  const profiles: ProfileSpec[] = [];
  const references = new Map<string, ProfileReference>();
  const usualFile = usualCredentialsFile({ ...context.paths, cwd: context.cwd });
  const ambient = { usualFile: usualFile.path, region: ambientRegion(context.env) };
  const pathVariables = new Set<string>();
  const paths = { ...context.paths, onVariable: (name: string) => pathVariables.add(name) };
  for (const profile of raw.profiles) {
    const { spec, reference } = validateProfile(profile, { ...context, paths }, ambient, issues);
    if (spec) profiles.push(spec);
    if (reference && !references.has(profile.profile)) references.set(profile.profile, reference);
  }
  checkSources(raw, [...references.values()], issues);
  const isLeftOut = (key: ConfigKey) => raw.profiles.some(({ own, defaults }) => !own.has(key) && !defaults.has(key));
  // Reported once, not for each profile that uses the environment's value.
  if (usualFile.problem !== undefined && context.credentialsFile === undefined && isLeftOut("credentials_file"))
    issues.add("AWS_SHARED_CREDENTIALS_FILE", usualFile.problem, usualFile.hint);
  const { region } = ambient;
  if (region.kind === "wrong" && isLeftOut("region")) issues.add(region.variable, region.problem, region.hint);
  const names = new Set(raw.profiles.map(({ profile }) => profile));
  issues.throwIfAny({ names: [...names], profiles: [...references.values()] });
  return { file: raw.file, profiles, pathVariables: [...pathVariables] };
}

/** The environment's values, for profiles without their own. */
interface Ambient {
  readonly usualFile: string | undefined;
  readonly region: AmbientRegion;
}

/** The default of `recheck`. */
const RECHECK_MS = 5 * 60_000;

function validateProfile(
  raw: RawProfile,
  context: ValidateContext,
  ambient: Ambient,
  issues: IssueSink,
): { readonly spec?: ProfileSpec; readonly reference?: ProfileReference } {
  const before = issues.count;
  const section = new SectionReader(raw, context, issues);
  const nameProblem = configuredNameProblem(raw.profile);
  if (nameProblem !== undefined) issues.add(raw.where, `[${show(raw.profile).slice(1, -1)}] ${nameProblem}`);

  const source = readRoleSource(section, context.defaultIdentity);
  const role = readRole(section, source);
  // STS: a role lives 12 h at most, a session of GetSessionToken 36 h (API reference, DurationSeconds).
  const durationSeconds = section.integer("duration_seconds", 900, source?.kind === "session" ? 129_600 : 43_200);
  const refreshBeforeMs = section.duration("refresh_before");
  const lifetimeMs = source && expectedLifetimeMs(source, role, durationSeconds);
  if (refreshBeforeMs !== undefined && lifetimeMs !== undefined && refreshBeforeMs >= lifetimeMs) {
    section.issue(
      "refresh_before",
      `refresh_before must be shorter than the lifetime of ${lifetimeMs / 60_000} min, or the profile is always due`,
    );
  }
  // Where the source is not known, whether it has Google's placeholders is not, either.
  const isGoogle = !source || (source.kind === "web-identity" && source.identity.kind === "gcp-metadata");
  const placeholders = isGoogle ? [...LOCAL_PLACEHOLDERS, ...GOOGLE_PLACEHOLDERS] : LOCAL_PLACEHOLDERS;
  const ownFile = section.path("credentials_file");
  const credentialsFile = context.credentialsFile ?? ownFile ?? ambient.usualFile;
  const spec = {
    profile: raw.profile,
    sessionName: readSessionName(section, placeholders),
    durationSeconds,
    lifetimeMs,
    policyArns: readPolicyArns(section),
    policyFile: section.path("policy_file"),
    refreshBeforeMs,
    recheckMs: section.duration("recheck") ?? RECHECK_MS,
    onRefresh: section.command("on_refresh"),
    lenient: section.flag("lenient") ?? false,
    overwrite: section.flag("overwrite") ?? false,
    writeMode: section.oneOf("write_mode", ["atomic", "in-place"]) ?? "atomic",
    origin: raw.where,
  } as const;
  const endpoint = readEndpoint(section, role, ambient.region);
  if (!source || credentialsFile === undefined) return {};
  const reference = { ...spec, source, credentialsFile };
  return endpoint && issues.count === before ? { reference, spec: { ...reference, role, endpoint } } : { reference };
}

/** Keys that have no effect without a role. */
const ROLE_KEYS = ["role_session_name", "policy_arns", "policy_file"] as const;
const ASSUME_ROLE_KEYS = ["duration_seconds", "external_id", "tags", "source_identity", "mfa_serial"] as const;

function readRole(section: SectionReader, source: RoleSource | undefined): RoleArn | undefined {
  if (source?.kind === "session") {
    for (const key of ["role_arn", ...ROLE_KEYS] as const) {
      if (section.owns(key))
        section.issue(
          key,
          `${key} has no effect with identity = session`,
          "move it to a section for the role, with this section as its source_profile",
        );
    }
    return undefined;
  }
  if (source?.kind === "saml" && section.owns("role_session_name"))
    section.issue(
      "role_session_name",
      "role_session_name has no effect with identity = saml",
      "remove it: the assertion names the session",
    );
  const isOptional = source?.kind === "aws-profile" || source?.kind === "credential-source";
  if (!isOptional || section.has("role_arn")) return readRoleArn(section);
  for (const key of [...ROLE_KEYS, ...ASSUME_ROLE_KEYS]) {
    if (section.owns(key)) section.issue(key, `${key} has no effect without role_arn`, "add role_arn, or remove it");
  }
  return undefined;
}

function readRoleArn(section: SectionReader): RoleArn | undefined {
  if (!section.has("role_arn")) {
    section.issue(undefined, "role_arn is missing", "add 'role_arn = arn:aws:iam::ACCOUNT:role/NAME'");
    return undefined;
  }
  const text = section.text("role_arn");
  if (text === undefined) return undefined;
  const role = parseRoleArn(text);
  if (!role) section.issue("role_arn", `role_arn = ${show(text)} is not the ARN of an IAM role`, roleArnHint(text));
  return role;
}

const LOCAL_PLACEHOLDERS = ["profile", "hostname"];
const GOOGLE_PLACEHOLDERS = ["project", "instance"];

function readSessionName(section: SectionReader, allowed: readonly string[]): string | undefined {
  const template = section.text("role_session_name");
  if (template === undefined) return undefined;
  for (const [whole, name = ""] of template.matchAll(/\{([^{}]*)\}/g)) {
    if (allowed.includes(name)) continue;
    const google = GOOGLE_PLACEHOLDERS.includes(name);
    section.issue(
      "role_session_name",
      `${whole} is not a placeholder${google ? " of this identity" : ""}`,
      google ? "use it with identity = gcp-metadata" : `use ${allowed.map((key) => `{${key}}`).join(" ")}`,
    );
  }
  const literal = template.replaceAll(/\{[^{}]*\}/g, "");
  const noPlaceholder = literal === template;
  // STS AssumeRole, RoleSessionName: [\w+=,.@-]*, 2 to 64 characters.
  if (!/^[\w+=,.@-]*$/.test(literal) || (noPlaceholder && (literal.length < 2 || literal.length > 64))) {
    section.issue(
      "role_session_name",
      `role_session_name = ${show(template)} is not valid`,
      "use 2 to 64 letters, digits and _+=,.@-",
    );
  }
  return template;
}

function readPolicyArns(section: SectionReader): readonly string[] {
  const arns = section.list("policy_arns");
  for (const arn of arns) {
    if (!/^arn:aws(-[a-z]+)*:iam::(\d{12}|aws):policy\/[\x21-\x7e]{1,512}$/.test(arn))
      section.issue("policy_arns", `${show(arn)} is not the ARN of a managed policy`);
  }
  if (arns.length > 10)
    section.issue("policy_arns", "policy_arns has more than 10 policies", "keep at most 10, the limit of STS");
  return arns;
}
