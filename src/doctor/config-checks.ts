import { counted, failureFinding, finding, type Finding } from "./finding.ts";
import type { Setup } from "./setup.ts";

/** The configuration: there, valid, and writable by nobody else. */
export function configFindings(setup: Setup): readonly Finding[] {
  const { config, mistakes, source } = setup;
  const found = mistakes.map((mistake) => failureFinding("config", mistake));
  if (config && mistakes.length === 0) {
    const where = config.file ?? "the command line";
    found.push(finding("config", "ok", `${where}: ${counted(config.profiles.length, "profile")}, no mistake`));
  }
  if (!source) return found;
  const { file, untrusted } = source;
  return [
    ...found,
    untrusted === undefined
      ? finding("config-permissions", "ok", `${file} can be written by its owner alone`)
      : finding(
          "config-permissions",
          "warning",
          `${file}: ${untrusted}: others decide which roles are assumed, and commands in it are refused`,
          { hint: `chown "$(id -un)" ${file} && chmod go-w ${file}` },
        ),
  ];
}
