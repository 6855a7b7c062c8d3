import type { Secret } from "../base/secret.ts";

/** The claims of an identity token that people need to see. Decoded, not verified: STS verifies. */
export interface TokenClaims {
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
  readonly audience: readonly string[];
  readonly authorizedParty: string | undefined;
  readonly issuedAt: Date | undefined;
  readonly notBefore: Date | undefined;
  readonly expiresAt: Date | undefined;
  readonly email: string | undefined;
}

/** A token that has passed its check, for `AssumeRoleWithWebIdentity`. */
export interface IdentityToken {
  readonly token: Secret;
  readonly claims: TokenClaims;
  /**
   * How far this machine's clock is ahead of the issuer's, in milliseconds; negative when it is behind. Undefined where
   * nothing tells: a token that was made a while ago is as old as it looks.
   */
  readonly clockAheadMs?: number | undefined;
}
