import { shellWord } from "../../base/shell-word.ts";
import type { Evidence } from "../evidence.ts";
import { finding, type Finding } from "../finding.ts";

/** Whether only its owner can write the config. */
export function configPermissionFindings({ setup: { source } }: Evidence): readonly Finding[] {
  if (!source) return [];
  const { file, untrusted } = source;
  if (untrusted === undefined) return [finding("ok", `only its owner can write ${file}`)];
  return [
    finding("warning", `${file}: ${untrusted}, so others can choose the roles; its commands are refused`, {
      hint: `chown "$(id -un)" ${shellWord(file)} && chmod go-w ${shellWord(file)}`,
    }),
  ];
}
