import type { Secret } from "../base/secret.ts";
import type { RoleArn, StsEndpoint } from "../config/config.ts";

/** What both ways of assuming a role have in common. */
export interface RoleRequest {
  readonly role: RoleArn;
  /** Valid for STS: see `renderSessionName`. */
  readonly sessionName: string;
  /** Absent: STS's own default of 3600 s. */
  readonly durationSeconds: number | undefined;
  readonly policyArns: readonly string[];
  /** The text of `policy_file`. */
  readonly policy: string | undefined;
  readonly endpoint: StsEndpoint;
}

interface CommonInput {
  RoleArn: string;
  RoleSessionName: string;
  DurationSeconds?: number;
  PolicyArns?: { arn: string }[];
  Policy?: string;
}

/** The parameters that `AssumeRole` and `AssumeRoleWithWebIdentity` share; what is absent is not sent. */
export function commonInput(request: RoleRequest): CommonInput {
  return {
    RoleArn: request.role.arn,
    RoleSessionName: request.sessionName,
    ...(request.durationSeconds === undefined ? {} : { DurationSeconds: request.durationSeconds }),
    ...(request.policyArns.length === 0 ? {} : { PolicyArns: request.policyArns.map((arn) => ({ arn })) }),
    ...(request.policy === undefined ? {} : { Policy: request.policy }),
  };
}

/** A device and its current code. STS accepts each code once. */
export interface MfaCode {
  readonly serial: string;
  readonly code: Secret;
}

/** The parameters of AssumeRole and GetSessionToken for a second factor; none without one. */
export function mfaInput(mfa: MfaCode | undefined): { SerialNumber?: string; TokenCode?: string } {
  return mfa === undefined ? {} : { SerialNumber: mfa.serial, TokenCode: mfa.code.reveal() };
}
