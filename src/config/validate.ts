import { join } from "node:path";

import { isLoopbackHost } from "../base/host.ts";
import type { Environment } from "../world.ts";
import type { Config, ProfileSpec, RoleArn, StsEndpoint } from "./config.ts";
import type { ConfigKey } from "./keys.ts";
import { collectMistakes, type MistakeSink } from "./mistakes.ts";
import { defaultRegionOf, partitionOfRegion } from "./partition.ts";
import { profileNameProblem } from "../base/profile-name.ts";
import { parseRoleArn, roleArnHint } from "./role-arn.ts";
import { refuseUntrusted } from "./identity-source.ts";
import { type IDENTITIES, readRoleSource } from "./role-source.ts";
import { type PathBase, type RawProfile, SectionReader, show } from "./section.ts";
import { checkSources } from "./sources.ts";

/** The profiles as they were written, before anything about them is believed. */
export interface RawConfig {
  readonly file: string | undefined;
  readonly profiles: readonly RawProfile[];
}

export interface ValidateContext {
  readonly env: Environment;
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
  for (const profile of raw.profiles) {
    const spec = validateProfile(profile, context, mistakes);
    if (spec) profiles.push(spec);
  }
  checkSources(raw, profiles, mistakes);
  mistakes.throwIfAny();
  return { file: raw.file, profiles };
}

function validateProfile(raw: RawProfile, context: ValidateContext, mistakes: MistakeSink): ProfileSpec | undefined {
  const before = mistakes.count;
  const section = new SectionReader(raw, context.paths, mistakes);
  const nameProblem = profileNameProblem(raw.profile);
  if (nameProblem !== undefined) mistakes.add(raw.where, `[${show(raw.profile).slice(1, -1)}] ${nameProblem}`);

  const role = readRole(section);
  const source = readRoleSource(section, context.untrusted, context.defaultIdentity);
  const durationSeconds = section.integer("duration_seconds", 900, 43_200);
  const refreshBeforeMs = section.duration("refresh_before");
  const lifetimeMs = (durationSeconds ?? 3600) * 1000;
  if (refreshBeforeMs !== undefined && refreshBeforeMs >= lifetimeMs) {
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
  const spec = {
    profile: raw.profile,
    sessionName: readSessionName(section, placeholders),
    durationSeconds,
    policyArns: readPolicyArns(section),
    policyFile: section.path("policy_file"),
    refreshBeforeMs,
    onRefresh: section.text("on_refresh"),
    lenient: section.flag("lenient") ?? false,
    credentialsFile: context.credentialsFile ?? section.path("credentials_file") ?? defaultCredentialsFile(context),
    overwrite: section.flag("overwrite") ?? false,
    writeMode: section.oneOf("write_mode", ["atomic", "in-place"]) ?? "atomic",
    origin: raw.where,
  } as const;
  const endpoint = readEndpoint(section, role, context.env);
  return role && source && endpoint && mistakes.count === before ? { ...spec, role, source, endpoint } : undefined;
}

function readRole(section: SectionReader): RoleArn | undefined {
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

/** The profile's region, the environment's where it is of the role's partition, else one of that partition. */
function readEndpoint(section: SectionReader, role: RoleArn | undefined, env: Environment): StsEndpoint | undefined {
  const url = section.text("endpoint_url");
  if (url !== undefined) checkEndpointUrl(section, url);
  const own = section.matching("region", /^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/, "write for example eu-central-1");
  if (!role) return undefined;
  if (own !== undefined) {
    if (partitionOfRegion(own) === role.partition) return { region: own, isRegionConfigured: true, url };
    section.mistake(
      "region",
      `region = ${own} is not in the partition of the role (${role.partition})`,
      "credentials do not cross partitions",
    );
    return undefined;
  }
  const ambient = env["AWS_REGION"] || env["AWS_DEFAULT_REGION"];
  if (ambient && partitionOfRegion(ambient) === role.partition) return { region: ambient, url };
  const region = defaultRegionOf(role.partition);
  if (region !== undefined) return { region, url };
  section.mistake(
    "role_arn",
    `the partition ${role.partition} is not known`,
    "name the region of its STS with 'region = …'",
  );
  return undefined;
}

function checkEndpointUrl(section: SectionReader, text: string): void {
  const key: ConfigKey = "endpoint_url";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:") || url.username !== "" || url.password !== "") {
    section.mistake(key, `endpoint_url = ${show(text)} is not an http(s) URL`);
  } else if (url.protocol === "http:" && !isLoopbackHost(url.hostname)) {
    section.mistake(
      key,
      `endpoint_url = ${show(text)} is plain http to another machine`,
      "tokens would travel readable: use https",
    );
  }
}

/** `$AWS_SHARED_CREDENTIALS_FILE` (botocore expands its `~`), else `~/.aws/credentials`. */
function defaultCredentialsFile(context: ValidateContext): string {
  const { home } = context.paths;
  const named = context.env["AWS_SHARED_CREDENTIALS_FILE"];
  if (!named) return join(home, ".aws", "credentials");
  return named.startsWith("~/") ? join(home, named.slice(2)) : named;
}
