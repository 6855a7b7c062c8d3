import { CONFIG_KEYS, type ConfigKey } from "../config/keys.ts";
import { IDENTITIES } from "../config/role-source.ts";
import { DEFAULT_CONCURRENCY, DEFAULT_TIMEOUT_MS } from "./invocation.ts";
import type { OptionGroup, OptionSpec } from "./spec.ts";

/** The options that several commands share. */

/** The options of every command. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  {
    name: "config",
    value: "FILE",
    describe: "config file (default: $ROLEFRESH_CONFIG, else ~/.aws/rolefresh.ini, else /etc/rolefresh.ini)",
  },
  {
    name: "credentials-file",
    value: "FILE",
    describe: "credentials file to write (default: $AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials)",
  },
  { name: "json", describe: "print one JSON object to stdout" },
  { name: "quiet", letter: "q", describe: "print only errors" },
  { name: "verbose", letter: "v", describe: "log each step to stderr (never secrets)" },
  {
    name: "log-format",
    value: "text|json",
    choices: ["text", "json"],
    default: "text",
    describe: "log format on stderr; json prints one object per line",
  },
  { name: "metrics-file", value: "FILE", describe: "write metrics for the Prometheus textfile collector to this file" },
  {
    name: "lenient",
    describe: "if the old credentials are still valid, report a failed refresh as a warning and exit 0",
  },
  {
    name: "timeout",
    value: "DURATION",
    default: `${DEFAULT_TIMEOUT_MS / 1000}s`,
    describe: "time limit of the whole run",
  },
  {
    name: "concurrency",
    value: "NUMBER",
    default: String(DEFAULT_CONCURRENCY),
    describe: "number of roles to assume in parallel",
  },
  { name: "help", letter: "h", describe: "show this help" },
  { name: "version", letter: "V", describe: "show the version" },
];

/** The config keys whose option is a global one. */
const GLOBAL_KEYS: ReadonlySet<ConfigKey> = new Set(["credentials_file", "lenient"]);

/** The config keys that are options of the config-free form. */
export const INLINE_KEYS = CONFIG_KEYS.map(({ name }) => name).filter((name) => !GLOBAL_KEYS.has(name));

/** The option that stands for a config key. */
export function optionOf(key: ConfigKey): string {
  return key.replaceAll("_", "-");
}

/** The options of the config-free form: `--profile` for the section, and one for each config key. */
export const INLINE_OPTIONS: readonly OptionSpec[] = [
  { name: "profile", value: "PROFILE", describe: "section to write (default: default)" },
  ...CONFIG_KEYS.filter(({ name }) => !GLOBAL_KEYS.has(name)).map(({ name, value, help }): OptionSpec => {
    const option = { name: optionOf(name), describe: help };
    if (name === "overwrite") return option;
    const choices = value.includes("|") ? value.split("|") : [];
    return { ...option, value, choices: name === "identity" ? IDENTITIES : choices };
  }),
];

/** What every command on profiles takes instead of a config file. */
export const INLINE: OptionGroup = { heading: "One role without a config file:", options: INLINE_OPTIONS };

/** The options that only a Kubernetes manifest has. */
export const KUBERNETES_OPTIONS: readonly OptionSpec[] = [
  {
    name: "workload",
    value: "sidecar|cronjob",
    choices: ["sidecar", "cronjob"],
    default: "sidecar",
    describe: "kind of workload",
  },
  { name: "image", value: "IMAGE", describe: "image with rolefresh on its PATH" },
  { name: "app-image", value: "IMAGE", describe: "image of the legacy tool next to it" },
  { name: "namespace", value: "NAME", describe: "namespace of all objects" },
  { name: "service-account", value: "NAME", describe: "name of the service account (default: rolefresh)" },
  {
    name: "token-audience",
    value: "AUDIENCE",
    describe: "audience of its token (default: the config's audience, else sts.amazonaws.com)",
  },
];
