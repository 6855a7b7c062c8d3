import { CONFIG_KEYS } from "../config/keys.ts";
import { VERSION } from "../version.ts";
import { COMMANDS, DEFAULT_COMMAND, EPILOGUE } from "./commands.ts";
import { GLOBAL_OPTIONS, INLINE_OPTIONS } from "./options.ts";
import type { CommandSpec, OptionSpec } from "./spec.ts";

/**
 * The manual page rolefresh(1), in man(7) macros, from the same table as `--help`. What the table does not have (files,
 * environment, examples) is written here.
 */
export function renderManPage(): string {
  const lines = [
    // No date: each build makes the same page.
    `.TH ROLEFRESH 1 "" ${quoted(`rolefresh ${VERSION}`)} "User Commands"`,
    ".SH NAME",
    `rolefresh \\- ${text("keep AWS role credentials fresh in ~/.aws/credentials")}`,
    ".SH SYNOPSIS",
    ...COMMANDS.flatMap((command, index) => [...(index > 0 ? [".br"] : []), synopsisOf(command)]),
    ".SH DESCRIPTION",
    ...paragraphs(
      "rolefresh exchanges the identity of a machine, such as a Google Cloud service account, for the credentials of AWS roles. It keeps one or many sections of ~/.aws/credentials fresh for tools that can only read static keys. Start it from cron or a systemd timer, or once before such a tool.",
      "It changes only its own keys. Every other byte of the credentials file stays the same, and a section that rolefresh did not write is left alone.",
      "Without errors it prints nothing, unless it runs on a terminal. Messages go to stderr.",
    ),
    ".SH COMMANDS",
    ...COMMANDS.flatMap(commandSection),
    ".SH OPTIONS",
    ...paragraphs("Every command takes these options."),
    ...GLOBAL_OPTIONS.flatMap(option),
    ".SH CONFIGURATION",
    ...paragraphs(
      "The config is an INI file. The name of a section must match the section of the credentials file exactly; [*] holds defaults for all. Without a file, configure one role with --role-arn and an option for each key below, with - for _; --profile names the section to write.",
    ),
    ...CONFIG_KEYS.flatMap(({ name, value, help }) => tagged(`${bold(name)} = ${italic(value)}`, sentence(help))),
    ".SH EXIT STATUS",
    ...exitStatuses().flatMap(([code, meaning]) => tagged(bold(code), meaning)),
    ".SH ENVIRONMENT",
    ...ENVIRONMENT.flatMap(([name, meaning]) => tagged(bold(name), meaning)),
    ".SH FILES",
    ...FILES.flatMap(([name, meaning]) => tagged(italic(name), meaning)),
    ".SH EXAMPLES",
    ...EXAMPLES.flatMap(([meaning, example]) => [...paragraphs(meaning), ".IP", ".nf", text(example), ".fi"]),
    ".SH SEE ALSO",
    `${bold("aws")}(1), ${bold("crontab")}(5), ${bold("systemd.timer")}(5)`,
    "",
  ];
  // A heading starts a paragraph itself (mandoc -Tlint).
  return lines.filter((line, index) => line !== ".PP" || !/^\.S[HS]/.test(lines[index - 1] ?? "")).join("\n");
}

const ENVIRONMENT = [
  ["ROLEFRESH_CONFIG", "The config file, unless --config is given."],
  ["AWS_SHARED_CREDENTIALS_FILE", "The credentials file, unless --credentials-file or the config sets one."],
  ["AWS_REGION, AWS_DEFAULT_REGION", "The region of STS, for profiles without one."],
  ["AWS_ENDPOINT_URL_STS", "The STS endpoint, for profiles without one."],
  ["AWS_JANUS_ROLE", "The role for credential-process without an argument."],
  ["GCE_METADATA_HOST, GCE_METADATA_IP", "The address of the Google metadata server."],
] as const;

const FILES = [
  ["~/.aws/rolefresh.ini, /etc/rolefresh.ini", "The config: the first file that exists."],
  ["~/.aws/credentials", "The credentials file."],
] as const;

const EXAMPLES = [
  ["Refresh what is due, from cron:", "*/10 * * * * rolefresh"],
  ["Show the state of each profile:", "rolefresh status"],
  ["Run a legacy tool with fresh credentials:", "rolefresh exec billing -- ./export --all"],
  [
    "Serve an SDK that supports credential_process, in ~/.aws/config:",
    "[profile app]\ncredential_process = rolefresh credential-process billing",
  ],
] as const;

function commandSection({ synopsis, describe, groups }: CommandSpec): readonly string[] {
  const own = groups.filter(({ options }) => options !== INLINE_OPTIONS);
  return [
    `.SS ${quoted(`rolefresh ${synopsis}`)}`,
    ...paragraphs(sentence(describe)),
    ...own.flatMap(({ options }) => options.flatMap(option)),
    ...(own.length < groups.length ? paragraphs("It also takes the options of the keys in CONFIGURATION.") : []),
  ];
}

function option({ name, letter, describe, value, default: initial }: OptionSpec): readonly string[] {
  const operand = value === undefined ? "" : ` ${italic(value)}`;
  const short = letter === undefined ? "" : `${bold(`-${letter}`)}, `;
  return tagged(
    `${short}${bold(`--${name}`)}${operand}`,
    `${sentence(describe)}${initial === undefined ? "" : ` Default: ${initial}.`}`,
  );
}

/** `Exit status: 0 done, 64 usage, …. 'check': 0 due, …` as pairs; `check` has numbers of its own and stays one entry. */
function exitStatuses(): readonly (readonly [string, string])[] {
  const [own = "", ...others] = EPILOGUE.replace(/^Exit status: /, "")
    .replaceAll("\n", " ")
    .split(/\. (?=')/);
  return [
    ...own.split(/, (?=\d)/).map((entry) => {
      const [code = "", ...meaning] = entry.split(" ");
      return [code, sentence(meaning.join(" "))] as const;
    }),
    [
      "126, 127",
      "exec: the command cannot be run, or is not found. Otherwise exec has the exit status of the command.",
    ],
    ...others.map((entry) => {
      const [name = "", meaning = ""] = entry.split(/: (.*)/s);
      return [name.replaceAll("'", ""), sentence(meaning.replace(/\.$/, ""))] as const;
    }),
  ];
}

function synopsisOf(command: CommandSpec): string {
  const words =
    command === DEFAULT_COMMAND ? command.synopsis.replace(command.name, `[${command.name}]`) : command.synopsis;
  return `${bold("rolefresh")} ${text(words)}`;
}

function paragraphs(...all: readonly string[]): readonly string[] {
  return all.flatMap((paragraph) => [".PP", text(paragraph)]);
}

function tagged(tag: string, body: string): readonly string[] {
  return [".TP", tag, text(body)];
}

function sentence(words: string): string {
  const capital = words.replace(/^[a-z]+(?= )/, (word) => word.charAt(0).toUpperCase() + word.slice(1));
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

function bold(words: string): string {
  return `\\fB${escape(words)}\\fR`;
}

function italic(words: string): string {
  return `\\fI${escape(words)}\\fR`;
}

function quoted(words: string): string {
  return `"${escape(words).replaceAll('"', "\\(dq")}"`;
}

/** Lines of text; none begins like a request. */
function text(words: string): string {
  return escape(words).replaceAll(/^(?=[.'])/gm, "\\&");
}

/** Escapes the backslash and the characters that roff replaces by typographic ones (groff_char(7)). */
function escape(words: string): string {
  return words
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("~", "\\(ti")
    .replaceAll("^", "\\(ha")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll("…", "...")
    .replaceAll(/[^\0-~]/gu, (character) => `\\[u${hex(character)}]`);
}

function hex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}
