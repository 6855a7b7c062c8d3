import type { Fault } from "./fault.ts";
import type { XmlTree } from "./query-protocol.ts";

/** The parts of an AssumeRole answer, as text, so that a fault can bend them before they become XML. */
export interface RoleAnswer {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: string;
  readonly assumedRoleId: string;
  readonly arn: string;
}

export const toExpiration = (instant: Date): string => instant.toISOString().replace(/\.\d{3}Z$/, "Z");

function bend(answer: RoleAnswer, fault: Fault | undefined, now: Date): RoleAnswer {
  if (fault?.kind === "past-expiry") {
    return { ...answer, expiration: toExpiration(new Date(now.getTime() - (fault.agoMs ?? 60_000))) };
  }
  if (fault?.kind === "bad-expiry") return { ...answer, expiration: fault.text ?? "tomorrow" };
  if (fault?.kind === "wrong-account") return { ...answer, arn: answer.arn.replace(/::\d{12}:/, "::666666666666:") };
  if (fault?.kind === "wrong-role") {
    return { ...answer, arn: answer.arn.replace(/assumed-role\/[^/]+/, "assumed-role/somebody-elses-role") };
  }
  if (fault?.kind === "hostile-field") {
    const text = fault.text ?? `${answer[fault.field]}\n[evil]\naws_access_key_id = AKIAEVIL`;
    return { ...answer, [fault.field]: text };
  }
  return answer;
}

/** The elements in the order in which STS sends them. */
export function renderRoleAnswer(
  answer: RoleAnswer,
  fault: Fault | undefined,
  now: Date,
): { readonly AssumedRoleUser: XmlTree; readonly Credentials: XmlTree | undefined } {
  const bent = bend(answer, fault, now);
  const credentials: Record<string, string> = {
    AccessKeyId: bent.accessKeyId,
    SecretAccessKey: bent.secretAccessKey,
    SessionToken: bent.sessionToken,
    Expiration: bent.expiration,
  };
  if (fault?.kind === "missing-field") delete credentials[fault.field];
  return {
    AssumedRoleUser: { AssumedRoleId: bent.assumedRoleId, Arn: bent.arn },
    Credentials: fault?.kind === "no-credentials" ? undefined : credentials,
  };
}
