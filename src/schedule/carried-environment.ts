import type { Environment } from "../base/world.ts";

/** Variables that change how rolefresh reaches the network or what it reads; none holds a key or a token. */
const CARRIED = [
  "HTTPS_PROXY",
  "https_proxy",
  "HTTP_PROXY",
  "http_proxy",
  "NO_PROXY",
  "no_proxy",
  "NODE_EXTRA_CA_CERTS",
  "AWS_CA_BUNDLE",
  "AWS_REGION",
  "AWS_DEFAULT_REGION",
  "AWS_ENDPOINT_URL",
  "AWS_ENDPOINT_URL_STS",
  "AWS_USE_FIPS_ENDPOINT",
  "AWS_USE_DUALSTACK_ENDPOINT",
  "AWS_CONFIG_FILE",
  "AWS_EC2_METADATA_DISABLED",
  "CLOUDSDK_CONFIG",
  "GCE_METADATA_HOST",
  "GCE_METADATA_IP",
  "GOOGLE_APPLICATION_CREDENTIALS",
] as const;

/** The part of this environment that a job gets. */
export interface CarriedEnvironment {
  readonly variables: ReadonlyMap<string, string>;
  /** Names of variables that contain a password or a control character and are left out. */
  readonly left: readonly string[];
}

/**
 * The variables that a scheduler would not pass, without those that look like a password.
 *
 * @param named variables in the config's paths
 */
export function carriedEnvironment(env: Environment, named: readonly string[] = []): CarriedEnvironment {
  const variables = new Map<string, string>();
  const left: string[] = [];
  for (const name of new Set([...CARRIED, ...named])) {
    const value = env[name];
    if (value === undefined || value === "") continue;
    if (holdsPassword(value) || hasControl(value)) left.push(name);
    else variables.set(name, value);
  }
  return { variables, left };
}

/** `http://user:password@proxy:3128`: units are world-readable. */
function holdsPassword(value: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/)?[^/?#\s]*@/i.test(value);
}

/** Such a character would end the line of a unit or crontab. */
export function hasControl(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return /[\u0000-\u001f\u007f]/.test(text);
}
