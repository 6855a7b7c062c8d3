import { shellWord } from "../../base/shell-word.ts";
import { refusalOf } from "../../refresh/outcome.ts";
import { finding, type Finding } from "../finding.ts";
import type { Target } from "../setup.ts";

/** botocore tries `aws_security_token` first and boto2 reads nothing else: a stale one hides a fresh session token. */
export function securityTokenFindings({ profile, view, step }: Target): readonly Finding[] {
  if (step && refusalOf(step, view)) return [];
  const section = view.document?.profile(profile);
  if (!section?.securityToken || !section.sessionToken || section.securityToken.equals(section.sessionToken)) return [];
  return [
    finding(
      "error",
      "aws_security_token differs from aws_session_token, and botocore and boto2 use aws_security_token",
      {
        profile,
        hint: `rolefresh refresh ${shellWord(profile)}`,
      },
    ),
  ];
}
