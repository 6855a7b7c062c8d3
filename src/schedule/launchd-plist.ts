import { type ScheduledJob, wordsOf } from "./job.ts";

/** launchd's name of the job. */
export const LAUNCHD_LABEL = "io.rolefresh.refresh";
/** Named after the label, as launchd.plist(5) requires. */
export const PLIST_NAME = `${LAUNCHD_LABEL}.plist`;

/** The mark of a property list that is ours. */
export const PLIST_MARK = "<!-- Written by 'rolefresh schedule launchd' -->";

/** A job for launchd. */
export interface LaunchdJob extends ScheduledJob {
  /** Where stderr goes; success writes nothing. */
  readonly logFile: string;
  /** `UserName` of a daemon; absent: the user whom the file belongs to. */
  readonly runAs: string | undefined;
}

/** A property list for launchd.plist(5). A run missed during sleep is made up at wake-up. */
export function launchdPlist(job: LaunchdJob): string {
  const environment = [...job.environment].map(([name, value]) => `    ${key(name)}${string(value)}`);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    PLIST_MARK,
    '<plist version="1.0">',
    "<dict>",
    `  ${key("Label")}${string(LAUNCHD_LABEL)}`,
    `  ${key("ProgramArguments")}`,
    "  <array>",
    ...wordsOf(job).map((word) => `    ${string(word)}`),
    "  </array>",
    ...(environment.length === 0 ? [] : [`  ${key("EnvironmentVariables")}`, "  <dict>", ...environment, "  </dict>"]),
    ...(job.runAs === undefined ? [] : [`  ${key("UserName")}${string(job.runAs)}`]),
    `  ${key("RunAtLoad")}<true/>`,
    `  ${key("StartInterval")}<integer>${job.interval.minutes * 60}</integer>`,
    `  ${key("ProcessType")}${string("Background")}`,
    `  ${key("StandardErrorPath")}${string(job.logFile)}`,
    // 0o077: launchd.plist(5) takes it in decimal.
    `  ${key("Umask")}<integer>63</integer>`,
    "</dict>",
    "</plist>",
    "",
  ].join("\n");
}

function key(name: string): string {
  return `<key>${escapeXml(name)}</key>`;
}

function string(value: string): string {
  return `<string>${escapeXml(value)}</string>`;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
