import { CONFIG_KEYS } from "../config/keys.ts";
import { VERSION } from "../version.ts";
import { COMMANDS, DEFAULT_COMMAND, EPILOGUE } from "./commands.ts";
import { GLOBAL_OPTIONS, INLINE_OPTIONS } from "./options.ts";
import type { CommandSpec, OptionSpec } from "./spec.ts";

/**
 * The manual page rolefresh(1), in man(7) macros, from the same tables as `--help`. What the tables do not hold (files,
 * environment, examples) is written here.
 */
export function renderManPage(): string {
  const lines = [
    // No date: the page is the same however often it is built.
    `.TH ROLEFRESH 1 "" ${quoted(`rolefresh ${VERSION}`)} "User Commands"`,
    ".SH NAME",
    `rolefresh \\- ${text("keep AWS role credentials fresh in ~/.aws/credentials")}`,
    ".SH SYNOPSIS",
    ...COMMANDS.flatMap((command, index) => [...(index > 0 ? [".br"] : []), synopsisOf(command)]),
    ".SH DESCRIPTION",
    ...paragraphs(
      "rolefresh turns the identity that a machine has of its own, first of all a Google Cloud service account, into the credentials of AWS roles, and keeps one or many sections of ~/.aws/credentials fresh for tools that can only read static keys. It is started by cron or a systemd timer, or once before such a tool.",
      "Only its own keys are ever changed. Every other byte of the credentials file comes out as it went in, and a section that somebody else owns is left alone.",
      "When all is well it prints nothing, unless it is on a terminal. Messages go to standard error.",
    ),
    ".SH COMMANDS",
    ...COMMANDS.flatMap(commandSection),
    ".SH OPTIONS",
    ...paragraphs("These go with every command."),
    ...GLOBAL_OPTIONS.flatMap(option),
    ".SH CONFIGURATION",
    ...paragraphs(
      "The configuration is an INI file. A section's name is, to the letter, that of the section in the credentials file; [*] holds defaults for all. Without a file, one role is served by --role-arn and an option for each key below, with - for _ (--profile names the section to write).",
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
  // A heading begins a paragraph by itself (mandoc -Tlint).
  return lines.filter((line, index) => line !== ".PP" || !/^\.S[HS]/.test(lines[index - 1] ?? "")).join("\n");
}

const ENVIRONMENT = [
  ["ROLEFRESH_CONFIG", "The config file, unless --config names one."],
  ["AWS_SHARED_CREDENTIALS_FILE", "The credentials file, unless --credentials-file or the configuration names one."],
  ["AWS_REGION, AWS_DEFAULT_REGION", "The region of STS, for profiles that name none."],
  ["AWS_ENDPOINT_URL_STS", "The STS endpoint, for profiles that name none."],
  ["AWS_JANUS_ROLE", "The role of credential-process without an argument."],
  ["GCE_METADATA_HOST, GCE_METADATA_IP", "The Google metadata server, when it is not in its usual place."],
] as const;

const FILES = [
  ["~/.aws/rolefresh.ini, /etc/rolefresh.ini", "The configuration: the first that is there."],
  ["~/.aws/credentials", "The credentials file."],
] as const;

const EXAMPLES = [
  ["Refresh what is due, from cron:", "*/10 * * * * rolefresh"],
  ["See where things stand:", "rolefresh status"],
  ["Run a legacy tool with fresh keys:", "rolefresh exec billing -- ./export --all"],
  [
    "Serve an SDK that knows credential_process, in ~/.aws/config:",
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
    ["126, 127", "exec: the command cannot be run, or is not found; otherwise exec ends as the command does."],
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

/** Lines of running text: none may begin like a request. */
function text(words: string): string {
  return escape(words).replaceAll(/^(?=[.'])/gm, "\\&");
}

/** What roff would take for its own (groff_char(7)): the backslash, and characters that it draws as typographic ones. */
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
