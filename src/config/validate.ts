import type { Config, ConfigEnvironment, ProfileReference, ProfileSpec, RoleArn, RoleSource } from "./config.ts";
import type { ConfigKey } from "./keys.ts";
import { collectMistakes, type MistakeSink } from "./config-issues.ts";
import { usualCredentialsFile } from "../base/expand-path.ts";
import { configuredNameProblem } from "../base/profile-name.ts";
import { parseRoleArn, roleArnHint } from "./role-arn.ts";
import { refuseUntrusted } from "./identity-source.ts";
import { expectedLifetimeMs } from "./lifetime.ts";
import { type IDENTITIES, readRoleSource } from "./role-source.ts";
import { type AmbientRegion, ambientRegion } from "./region.ts";
import { readEndpoint } from "./sts-endpoint.ts";
import { type PathBase, type RawConfig, type RawProfile, SectionReader, show } from "./section.ts";
import { checkSources } from "./sources.ts";

/** What a configuration is checked against besides itself. */
export interface ValidateContext {
  readonly env: ConfigEnvironment;
  readonly cwd: string | undefined;
  readonly paths: PathBase;
  /** `--credentials-file`, absolute: beats every other. */
  readonly credentialsFile: string | undefined;
  /** Why commands of this config must not be run, or undefined. */
  readonly untrusted: string | undefined;
  /** The identity of a profile that names none (the config-free form has one, a file has not). */
  readonly defaultIdentity: (typeof IDENTITIES)[number] | undefined;
}

/**
 * Turns what was written into a configuration that the rest of the program can rely on.
 *
 * @throws ConfigMistakes with everything that is wrong, at once
 */
export function validateConfig(raw: RawConfig, context: ValidateContext, mistakes = collectMistakes()): Config {
  const profiles: ProfileSpec[] = [];
  const references: ProfileReference[] = [];
  const usualFile = usualCredentialsFile({ ...context.paths, cwd: context.cwd });
  const ambient = { usualFile: usualFile.path, region: ambientRegion(context.env) };
  const pathVariables = new Set<string>();
  const paths = { ...context.paths, onVariable: (name: string) => pathVariables.add(name) };
  for (const profile of raw.profiles) {
    const { spec, reference } = validateProfile(profile, { ...context, paths }, ambient, mistakes);
    if (spec) profiles.push(spec);
    if (reference) references.push(reference);
  }
  checkSources(raw, references, mistakes);
  const isLeftOut = (key: ConfigKey) => raw.profiles.some(({ own, defaults }) => !own.has(key) && !defaults.has(key));
  // Told once, and not for each profile that goes by the environment.
  if (usualFile.problem !== undefined && context.credentialsFile === undefined && isLeftOut("credentials_file"))
    mistakes.add("AWS_SHARED_CREDENTIALS_FILE", usualFile.problem, usualFile.hint);
  const { region } = ambient;
  if (region.kind === "wrong" && isLeftOut("region")) mistakes.add(region.variable, region.problem, region.hint);
  mistakes.throwIfAny({ names: raw.profiles.map(({ profile }) => profile), profiles: references });
  return { file: raw.file, profiles, pathVariables: [...pathVariables] };
}

/** What the environment says for profiles that do not. */
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
  mistakes: MistakeSink,
): { readonly spec?: ProfileSpec; readonly reference?: ProfileReference } {
  const before = mistakes.count;
  const section = new SectionReader(raw, context.paths, mistakes);
  const nameProblem = configuredNameProblem(raw.profile);
  if (nameProblem !== undefined) mistakes.add(raw.where, `[${show(raw.profile).slice(1, -1)}] ${nameProblem}`);

  const source = readRoleSource(section, context.untrusted, context.defaultIdentity);
  const role = readRole(section, source);
  // STS: a role lives 12 h at most, a session of GetSessionToken 36 h (API reference, DurationSeconds).
  const durationSeconds = section.integer("duration_seconds", 900, source?.kind === "session" ? 129_600 : 43_200);
  const refreshBeforeMs = section.duration("refresh_before");
  const lifetimeMs = source && expectedLifetimeMs(source, role, durationSeconds);
  if (refreshBeforeMs !== undefined && lifetimeMs !== undefined && refreshBeforeMs >= lifetimeMs) {
    section.mistake(
      "refresh_before",
      `refresh_before is not shorter than the lifetime of ${lifetimeMs / 60_000} min: the profile would always be due`,
    );
  }
  refuseUntrusted(section, "on_refresh", context.untrusted);
  const placeholders =
    source?.kind === "web-identity" && source.identity.kind === "gcp-metadata"
      ? [...LOCAL_PLACEHOLDERS, ...GOOGLE_PLACEHOLDERS]
      : LOCAL_PLACEHOLDERS;
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
    onRefresh: section.text("on_refresh"),
    lenient: section.flag("lenient") ?? false,
    overwrite: section.flag("overwrite") ?? false,
    writeMode: section.oneOf("write_mode", ["atomic", "in-place"]) ?? "atomic",
    origin: raw.where,
  } as const;
  const endpoint = readEndpoint(section, role, ambient.region);
  if (!source || credentialsFile === undefined) return {};
  const reference = { ...spec, source, credentialsFile };
  return endpoint && mistakes.count === before ? { reference, spec: { ...reference, role, endpoint } } : { reference };
}

/** Keys that shape a role session, and mean nothing without a role. */
const ROLE_KEYS = ["role_session_name", "policy_arns", "policy_file"] as const;
const ASSUME_ROLE_KEYS = ["duration_seconds", "external_id", "tags", "source_identity", "mfa_serial"] as const;

function readRole(section: SectionReader, source: RoleSource | undefined): RoleArn | undefined {
  if (source?.kind === "session") {
    for (const key of ["role_arn", ...ROLE_KEYS] as const) {
      if (section.owns(key))
        section.mistake(
          key,
          `${key} means nothing with identity = session`,
          "give the role a section of its own, with this one as its source_profile",
        );
    }
    return undefined;
  }
  if (source?.kind === "saml" && section.owns("role_session_name"))
    section.mistake(
      "role_session_name",
      "role_session_name means nothing with identity = saml",
      "the assertion names it",
    );
  const isOptional = source?.kind === "aws-profile" || source?.kind === "credential-source";
  if (!isOptional || section.has("role_arn")) return readRoleArn(section);
  for (const key of [...ROLE_KEYS, ...ASSUME_ROLE_KEYS]) {
    if (section.owns(key)) section.mistake(key, `${key} means nothing without role_arn`, "add the role_arn");
  }
  return undefined;
}

function readRoleArn(section: SectionReader): RoleArn | undefined {
  if (!section.has("role_arn")) {
    section.mistake(undefined, "role_arn is missing", "add 'role_arn = arn:aws:iam::ACCOUNT:role/NAME'");
    return undefined;
  }
  const text = section.text("role_arn");
  if (text === undefined) return undefined;
  const role = parseRoleArn(text);
  if (!role) section.mistake("role_arn", `role_arn = ${show(text)} is not the ARN of a role`, roleArnHint(text));
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
    section.mistake(
      "role_session_name",
      `${whole} is not known${google ? " here" : ""}`,
      google ? "only identity = gcp-metadata knows it" : `known are ${allowed.map((key) => `{${key}}`).join(" ")}`,
    );
  }
  const literal = template.replaceAll(/\{[^{}]*\}/g, "");
  const noPlaceholder = literal === template;
  // STS AssumeRole, RoleSessionName: [\w+=,.@-]*, 2 to 64 characters.
  if (!/^[\w+=,.@-]*$/.test(literal) || (noPlaceholder && (literal.length < 2 || literal.length > 64))) {
    section.mistake(
      "role_session_name",
      `role_session_name = ${show(template)} is not valid`,
      "2 to 64 of letters, digits and _+=,.@-",
    );
  }
  return template;
}

function readPolicyArns(section: SectionReader): readonly string[] {
  const arns = section.list("policy_arns");
  for (const arn of arns) {
    if (!/^arn:aws(-[a-z]+)*:iam::(\d{12}|aws):policy\/[\x21-\x7e]{1,512}$/.test(arn))
      section.mistake("policy_arns", `${show(arn)} is not the ARN of a managed policy`);
  }
  if (arns.length > 10)
    section.mistake("policy_arns", "there are more than 10 session policies", "STS takes at most 10");
  return arns;
}
