import { finding, type Finding } from "../finding.ts";
import type { Target } from "../setup.ts";

/** Names that some readers do not find (GRAMMAR.md 9). */
export function nameFindings({ profile }: Target): readonly Finding[] {
  if (/^[A-Za-z0-9/.%@_:+-]+$/.test(profile)) return [];
  const [what, readers] = /\s/.test(profile)
    ? ["a space", "C++, the CRT, Java v2, JavaScript v3 and Rust"]
    : ["an unusual character", "C++, the CRT, Java v2 and Rust"];
  return [
    finding("warning", `the profile name contains ${what}: ${readers} do not find it`, {
      profile,
      hint: "use only letters, digits and - / . % @ _ : + if one of these tools reads it",
    }),
  ];
}
