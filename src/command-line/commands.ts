import { DEFAULT_INTERVAL } from "../schedule/interval.ts";
import { SCHEDULERS } from "../schedule/job.ts";
import { POLICY_FORMATS } from "../trust-policy/token-flags.ts";
import { SHELLS } from "./invocation.ts";
import { INLINE, INLINE_OPTIONS, KUBERNETES_OPTIONS } from "./options.ts";
import type { CommandSpec, OptionGroup, OptionSpec, PositionalSpec } from "./spec.ts";

/** The exit statuses, at the end of every help text. */
export const EPILOGUE = `Exit status: 0 success or nothing due, 64 usage, 65 unsafe file or token, 66 token or key missing,
69 identity source not available, 70 bug, 73/74 cannot create/write, 75 temporary failure, 76 unexpected response,
77 denied, 78 config. 'check': 0 due, 1 nothing due, 255 error.`;

/** The hint for an `exec` without a clear start of the command. */
export const EXEC_HINT = "write -- before the command: rolefresh exec PROFILE -- COMMAND…";

const PROFILES: PositionalSpec = {
  name: "profiles",
  describe: "profiles to use (default: all in the config)",
  isList: true,
  offers: "profiles",
};

function own(name: string, options: readonly OptionSpec[]): OptionGroup {
  return { heading: `Options of ${name}:`, options };
}

/** Runs when no command is named. */
export const DEFAULT_COMMAND: CommandSpec = {
  name: "refresh",
  describe: "refresh the credentials that are due, then exit (the default)",
  synopsis: "refresh [PROFILE…]",
  positionals: [PROFILES],
  groups: [
    INLINE,
    own("refresh", [
      { name: "force", letter: "f", describe: "refresh also what is not due" },
      { name: "dry-run", letter: "n", describe: "show what would be done, without calling STS or writing" },
    ]),
  ],
};

/** Every command, in the order of the help text. */
export const COMMANDS: readonly CommandSpec[] = [
  DEFAULT_COMMAND,
  {
    name: "check",
    describe: "exit with 0 if a refresh is due, 1 if none is, 255 on error",
    synopsis: "check [PROFILE…]",
    positionals: [PROFILES],
    groups: [INLINE],
  },
  {
    name: "status",
    describe: "show the state and the time left of each profile",
    synopsis: "status [PROFILE…]",
    positionals: [PROFILES],
    groups: [
      INLINE,
      own("status", [
        {
          name: "min-ttl",
          value: "DURATION",
          describe: "exit with 1 if a profile has less than this left, for example 10m",
        },
      ]),
    ],
  },
  {
    name: "watch",
    describe: "run in the foreground and refresh each profile as it becomes due; SIGHUP reloads the config",
    synopsis: "watch [PROFILE…]",
    positionals: [PROFILES],
    groups: [
      INLINE,
      own("watch", [
        {
          name: "health-file",
          value: "FILE",
          describe: "keep this file while every profile has valid credentials, for liveness and readiness probes",
        },
      ]),
    ],
  },
  {
    name: "init",
    describe: "create a config file, interactively or from flags",
    synopsis: "init",
    positionals: [],
    groups: [
      own("init", [
        { name: "force", letter: "f", describe: "replace an existing config file" },
        { name: "dry-run", letter: "n", describe: "print the config instead of writing it" },
      ]),
      { heading: "What to write, instead of being asked:", options: INLINE_OPTIONS },
    ],
  },
  {
    name: "doctor",
    describe: "check everything between this host and AWS and tell you what to run",
    synopsis: "doctor [PROFILE…]",
    positionals: [PROFILES],
    groups: [INLINE],
  },
  {
    name: "trust-policy",
    describe: "print the trust policy that a profile's role needs, or check one",
    synopsis: "trust-policy [PROFILE]",
    positionals: [{ ...PROFILES, describe: "profile of the role; not needed if only one is configured" }],
    groups: [
      own("trust-policy", [
        {
          name: "format",
          value: POLICY_FORMATS.join("|"),
          choices: POLICY_FORMATS,
          default: "json",
          describe: "format of the policy",
        },
        {
          name: "check",
          value: "FILE",
          describe: "check whether this policy allows the identity: exit 0 or 77 (- for stdin)",
        },
        {
          name: "sub",
          value: "SUBJECT",
          describe: "subject (Google: the unique ID); no identity token is requested then",
        },
        { name: "aud", value: "AUDIENCE", describe: "with --sub: audience (default: the profile's)" },
        { name: "azp", value: "PARTY", describe: "with --sub: authorized party (gcp-metadata: the subject)" },
        {
          name: "iss",
          value: "URL",
          describe: "with --sub: issuer (default: the identity's, else https://accounts.google.com)",
        },
      ]),
      INLINE,
    ],
  },
  {
    name: "schedule",
    describe: "print or install a systemd timer, crontab line, launchd job or Kubernetes manifest",
    synopsis: `schedule ${SCHEDULERS.join("|")}`,
    positionals: [{ name: "scheduler", describe: SCHEDULERS.join(", "), offers: SCHEDULERS }],
    groups: [
      own("schedule", [
        { name: "install", describe: "install and start the job instead of printing it" },
        { name: "uninstall", describe: "stop the job and remove what --install wrote" },
        { name: "user", describe: "for the current user (default unless you are root)" },
        { name: "system", describe: "for the whole machine (default for root)" },
        { name: "run-as", value: "USER", describe: "with --system: user whose credentials file is refreshed" },
        {
          name: "interval",
          value: "DURATION",
          default: DEFAULT_INTERVAL,
          describe: "time between runs; a run with nothing due is cheap",
        },
      ]),
      own("schedule kubernetes", KUBERNETES_OPTIONS),
    ],
  },
  {
    name: "exec",
    describe: "refresh a profile if it is due, then run a command with it",
    synopsis: "exec PROFILE -- COMMAND…",
    hint: EXEC_HINT,
    positionals: [
      { name: "name", describe: "profile to refresh", offers: "profiles" },
      { name: "command", describe: "command to run", isList: true, offers: "command" },
    ],
    groups: [
      own("exec", [
        { name: "env", describe: "export the keys as well, for a command that reads only environment variables" },
      ]),
      INLINE,
    ],
  },
  {
    name: "credential-process",
    describe: "print a profile's credentials as JSON for credential_process, from the file while they are fresh",
    synopsis: "credential-process [PROFILE|ROLE_ARN]",
    positionals: [
      { name: "name", describe: "profile, or ARN of a role (default: $AWS_JANUS_ROLE)", offers: "profiles" },
    ],
    groups: [],
  },
  {
    name: "remove",
    describe: "remove a profile's credentials, and its section if nothing else is in it",
    synopsis: "remove PROFILE…",
    positionals: [
      {
        name: "profiles",
        describe: "profiles to remove; they may be missing in the config",
        isList: true,
        offers: "written",
      },
    ],
    groups: [
      own("remove", [{ name: "dry-run", letter: "n", describe: "show what would be removed, without writing" }]),
    ],
  },
  {
    name: "completion",
    describe: "print the completion script of a shell: source <(rolefresh completion bash)",
    synopsis: `completion ${SHELLS.join("|")}`,
    positionals: [{ name: "shell", describe: SHELLS.join(", "), offers: SHELLS }],
    groups: [],
  },
];
