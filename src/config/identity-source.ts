import { isLinkLocalHost, isLoopbackHost } from "../base/host.ts";
import type { IdentitySource } from "./config.ts";
import type { ConfigKey } from "./keys.ts";
import { type SectionReader, show } from "./section.ts";

/** The values of `identity` that end as a token for AssumeRoleWithWebIdentity. */
export const TOKEN_IDENTITIES = [
  "gcp-metadata",
  "gcp-adc",
  "gcloud",
  "file",
  "env",
  "command",
  "url",
  "github-actions",
  "gitlab",
  "azure",
  "kubernetes",
] as const;
/** A way to an identity token, by the word that `identity` has for it. */
export type TokenIdentity = (typeof TOKEN_IDENTITIES)[number];

/** Which keys say more about which of them. */
export const KEYS_OF_TOKEN_IDENTITY: Readonly<Record<TokenIdentity, readonly ConfigKey[]>> = {
  "gcp-metadata": ["audience", "service_account"],
  "gcp-adc": ["audience", "service_account"],
  gcloud: ["audience", "service_account"],
  file: ["audience", "web_identity_token_file"],
  env: ["audience", "identity_env"],
  command: ["audience", "identity_command"],
  url: ["audience", "identity_url", "identity_header", "identity_json_path"],
  "github-actions": ["audience"],
  gitlab: ["audience", "identity_env"],
  azure: ["audience", "client_id"],
  kubernetes: ["audience", "web_identity_token_file"],
};

/** What aws-actions/configure-aws-credentials, Buildkite and EKS ask for, and what AWS's own guides register. */
const AWS_AUDIENCE = "sts.amazonaws.com";
/** The variable in GitLab's own guide for AWS (https://docs.gitlab.com/ci/cloud_services/aws/). */
const GITLAB_VARIABLE = "AWS_ID_TOKEN";

const SERVICE_ACCOUNT = /^(default|\d{6,30}|[\w.+-]+@[\w.-]+)$/;
const OTHER_SERVICE_ACCOUNT = /^(\d{6,30}|[\w.+-]+@[\w.-]+)$/;
const VARIABLE = /^[A-Za-z_]\w*$/;

/**
 * Reads where a profile's identity token comes from; what is wrong goes to the section's mistakes.
 *
 * @param untrusted why commands and secrets of this config must not be used, or undefined
 */
export function readIdentitySource(
  name: TokenIdentity,
  section: SectionReader,
  untrusted: string | undefined,
): IdentitySource | undefined {
  const audience = section.text("audience");
  switch (name) {
    case "gcp-metadata": {
      const serviceAccount = section.matching(
        "service_account",
        SERVICE_ACCOUNT,
        "write default or the account's e-mail address",
      );
      return { kind: name, audience: audience ?? "gcp", serviceAccount: serviceAccount ?? "default" };
    }
    case "gcp-adc":
    case "gcloud": {
      const pattern = name === "gcloud" ? SERVICE_ACCOUNT : OTHER_SERVICE_ACCOUNT;
      const serviceAccount = section.matching("service_account", pattern, "write the account's e-mail address");
      return { kind: name, audience, serviceAccount };
    }
    case "file": {
      const path = required(section, "web_identity_token_file", section.path("web_identity_token_file"));
      return path === undefined ? undefined : { kind: name, path, audience };
    }
    case "env": {
      const variable = required(section, "identity_env", readVariable(section));
      return variable === undefined ? undefined : { kind: name, variable, audience };
    }
    case "command": {
      const command = required(section, "identity_command", section.text("identity_command"));
      if (command === undefined) return undefined;
      refuseUntrusted(section, "identity_command", untrusted);
      return { kind: name, command, audience };
    }
    case "url":
      return readUrlSource(section, audience, untrusted);
    case "github-actions":
      return { kind: name, audience: audience ?? AWS_AUDIENCE };
    case "gitlab":
      return { kind: name, variable: readVariable(section) ?? GITLAB_VARIABLE, audience };
    case "azure": {
      const clientId = section.matching("client_id", /^[0-9A-Fa-f-]{36}$/, "write the identity's client ID, a UUID");
      return { kind: name, audience, clientId };
    }
    case "kubernetes":
      return { kind: name, path: section.path("web_identity_token_file"), audience };
  }
}

function readVariable(section: SectionReader): string | undefined {
  return section.matching("identity_env", VARIABLE, "write the name of an environment variable");
}

function readUrlSource(
  section: SectionReader,
  audience: string | undefined,
  untrusted: string | undefined,
): IdentitySource | undefined {
  const url = required(section, "identity_url", section.text("identity_url"));
  const headers = section.lines("identity_header").map((line) => readHeader(section, line));
  // A config that others may write could send our variables to them.
  if (headers.some((header) => header?.template.includes("{env:") === true)) {
    refuseUntrusted(section, "identity_header", untrusted);
  }
  const jsonPath = section.matching(
    "identity_json_path",
    /^(\$\.)?[\w-]+(\.[\w-]+|\[\d+\])*$/,
    "write for example value, data.token or tokens[0].jwt",
  );
  if (url === undefined || !isSafeUrl(section, url)) return undefined;
  return { kind: "url", url, headers: headers.filter((header) => header !== undefined), jsonPath, audience };
}

function isSafeUrl(section: SectionReader, text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:") || url.username !== "" || url.password !== "") {
    section.mistake(
      "identity_url",
      "identity_url is not an http(s) URL without a user",
      "secrets go into identity_header",
    );
    return false;
  }
  if (url.protocol === "http:" && !isLoopbackHost(url.hostname) && !isLinkLocalHost(url.hostname)) {
    section.mistake(
      "identity_url",
      `identity_url is plain http to another machine, ${url.host}`,
      "tokens would travel readable: use https",
    );
    return false;
  }
  return true;
}

/** `Name: value` (RFC 9110 5.1 and 5.5); the value is not shown: people write secrets into it. */
function readHeader(
  section: SectionReader,
  line: string,
): { readonly name: string; readonly template: string } | undefined {
  const parts = /^([\w!#$%&'*+.^`|~-]+)\s*:\s*(\S[\u0020-\u007e\u0080-\u00ff]*)$/.exec(line.trim());
  const [, name, template] = parts ?? [];
  if (name === undefined || template === undefined) {
    section.mistake(
      "identity_header",
      "identity_header is not 'Name: value'",
      "write for example X-Token: {env:TOKEN}",
    );
    return undefined;
  }
  for (const [, variable = ""] of template.matchAll(/\{env:([^}]*)\}/g)) {
    if (!VARIABLE.test(variable))
      section.mistake("identity_header", `{env:${show(variable).slice(1, -1)}} names no environment variable`);
  }
  return { name, template };
}

/** A command from a file that others may write would run their code as us. */
export function refuseUntrusted(section: SectionReader, key: ConfigKey, untrusted: string | undefined): void {
  if (untrusted !== undefined && section.has(key))
    section.mistake(key, `${key} is refused: ${untrusted}`, "chown it to yourself and chmod go-w it");
}

/** The value of a key that the chosen `identity` cannot do without; a missing one is a mistake. */
export function required<T>(section: SectionReader, key: ConfigKey, value: T | undefined): T | undefined {
  if (value === undefined && !section.has(key))
    section.mistake("identity", `${key} is missing`, `this identity needs it`);
  return value;
}
