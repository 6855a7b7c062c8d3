import { printable } from "../../base/printable.ts";
import { describeClaims } from "../../sources/jwt.ts";
import type { TokenClaims } from "../../sts/identity-token.ts";
import type { Evidence } from "../evidence.ts";
import { finding, type Finding } from "../finding.ts";

/** What AWS will see of each identity token. */
export async function tokenFindings({ identities }: Evidence): Promise<readonly Finding[]> {
  const all = await Promise.all(
    identities.map(async ({ profile, token }) => {
      const result = await token();
      return "failed" in result ? [] : [finding("ok", describe(result.value.claims), { profile })];
    }),
  );
  return all.flat();
}

/** The claims, and under which names a trust policy sees them (IAM User Guide, "Available keys for AWS web identity federation"). */
function describe(claims: TokenClaims): string {
  const email = claims.email === undefined ? "" : ` email=${printable(claims.email)}`;
  const formatted = `${describeClaims(claims)}${email}`;
  const issuer = (claims.issuer ?? "").replace(/^https:\/\//, "");
  if (issuer !== "accounts.google.com") return formatted;
  const audience = printable(claims.audience.join(","));
  const keys =
    claims.authorizedParty === undefined
      ? `:aud=${audience}`
      : `:aud=${printable(claims.authorizedParty)} (azp) and :oaud=${audience} (aud)`;
  return `${formatted}; a trust policy sees accounts.google.com${keys}`;
}
