import type { Secret } from "../base/secret.ts";

/** A device and its code of this moment. STS takes each code once. */
export interface MfaCode {
  readonly serial: string;
  readonly code: Secret;
}

/** The parameters of AssumeRole and GetSessionToken for a second factor; none without one. */
export function mfaInput(mfa: MfaCode | undefined): { SerialNumber?: string; TokenCode?: string } {
  return mfa === undefined ? {} : { SerialNumber: mfa.serial, TokenCode: mfa.code.reveal() };
}
