import { isStsErrorCode, type StsErrorCode } from "./query-protocol.ts";
import type { TokenClaims } from "./google-token.ts";

/** How a sandbox server can be told to misbehave. */
export type Fault =
  // Any server, below HTTP.
  /** Answers well, `ms` later. */
  | { readonly kind: "latency"; readonly ms: number }
  /** Takes the request and keeps silent until the sandbox stops. */
  | { readonly kind: "hang" }
  /** Takes the request and answers it well as soon as the fault is lifted. */
  | { readonly kind: "hold" }
  /** RST in place of an answer. */
  | { readonly kind: "reset" }
  /** The good answer, a byte each `everyMs` (default 200). */
  | { readonly kind: "drip"; readonly everyMs?: number }
  /** The good answer's headers and half of its body, then the end of the connection. */
  | { readonly kind: "half-body" }
  // Any server, in HTTP.
  | { readonly kind: "garbage" }
  /** 200 and a login page, as a captive portal or a proxy sends it. */
  | { readonly kind: "html" }
  /** 302; by default to a path of the STS port that notes the call as action `/_sandbox/trap`. */
  | { readonly kind: "redirect"; readonly location?: string }
  | { readonly kind: "status"; readonly status: number; readonly retryAfterSeconds?: number }
  /** A body of `bytes` (default 64 MiB) that begins like a good one. */
  | { readonly kind: "huge-body"; readonly bytes?: number }
  | { readonly kind: "empty-body" }
  /** 200 and this text, with the headers of a good answer. */
  | { readonly kind: "body"; readonly text: string }
  // STS.
  /** AWS's error with AWS's usual message and status, or others. */
  | {
      readonly kind: "aws-error";
      readonly code: StsErrorCode;
      readonly message?: string;
      readonly status?: number;
    }
  | { readonly kind: "past-expiry"; readonly agoMs?: number }
  | { readonly kind: "bad-expiry"; readonly text?: string }
  | { readonly kind: "no-credentials" }
  | {
      readonly kind: "missing-field";
      readonly field: "AccessKeyId" | "SecretAccessKey" | "SessionToken" | "Expiration";
    }
  | { readonly kind: "wrong-account" }
  | { readonly kind: "wrong-role" }
  /** By default the good value with a newline and a section header behind it. */
  | {
      readonly kind: "hostile-field";
      readonly field: "accessKeyId" | "secretAccessKey" | "sessionToken" | "arn";
      readonly text?: string;
    }
  // Metadata.
  /** The good answer without `Metadata-Flavor: Google`: some other server on that address. */
  | { readonly kind: "no-flavor" }
  | { readonly kind: "not-a-jwt" }
  /** A well-signed token with other claims: `{ aud: "other" }`, `{ exp: 1 }`, `{ iss: "https://evil.example" }`. */
  | { readonly kind: "token-claims"; readonly claims: TokenClaims }
  /** A token of `bytes` (default 1 MiB). */
  | { readonly kind: "huge-token"; readonly bytes?: number };

export interface FaultOptions {
  /** How many requests it spoils before all is well again; always when absent. */
  readonly times?: number;
  /** STS: this `Action` only. Metadata: paths that end in it (`identity`, `project-id`, `instance/hostname`). */
  readonly action?: string;
}

/** A fault to apply to one request. */
export interface AppliedFault {
  readonly fault: Fault;
  /** Aborted when the fault is taken away; what `hold` waits for. */
  readonly lifted?: AbortSignal;
}

interface Rule {
  readonly fault: Fault;
  readonly action: string | undefined;
  left: number;
  readonly controller: AbortController;
}

/** The faults of one server. */
export class FaultRules {
  #rules: readonly Rule[] = [];

  /** Sets the fault for an action (or for all); undefined lifts it. The one set last is looked at first. */
  set(fault: Fault | undefined, options: FaultOptions): void {
    const replaced = this.#rules.filter(
      (rule) => rule.action === options.action || (fault === undefined && options.action === undefined),
    );
    this.#rules = this.#rules.filter((rule) => !replaced.includes(rule));
    if (fault !== undefined) {
      const left = options.times ?? Number.POSITIVE_INFINITY;
      this.#rules = [{ fault, action: options.action, left, controller: new AbortController() }, ...this.#rules];
    }
    for (const { controller } of replaced) controller.abort();
  }

  /** The fault that strikes a request of this action, counted off. */
  take(action: string): AppliedFault | undefined {
    const rule = this.#rules.find(
      ({ action: wanted, left }) =>
        left > 0 && (wanted === undefined || action === wanted || action.endsWith(`/${wanted}`)),
    );
    if (rule === undefined) return undefined;
    rule.left -= 1;
    return { fault: rule.fault, lifted: rule.controller.signal };
  }
}

const NAMED: Readonly<Record<string, (value: string) => Fault | undefined>> = {
  latency: (value) => ({ kind: "latency", ms: Number(value || "1000") }),
  hang: () => ({ kind: "hang" }),
  hold: () => ({ kind: "hold" }),
  reset: () => ({ kind: "reset" }),
  drip: () => ({ kind: "drip" }),
  "half-body": () => ({ kind: "half-body" }),
  garbage: () => ({ kind: "garbage" }),
  html: () => ({ kind: "html" }),
  redirect: () => ({ kind: "redirect" }),
  status: (value) => (/^[2-5]\d\d$/.test(value) ? { kind: "status", status: Number(value) } : undefined),
  "huge-body": () => ({ kind: "huge-body" }),
  "empty-body": () => ({ kind: "empty-body" }),
  "past-expiry": () => ({ kind: "past-expiry" }),
  "no-credentials": () => ({ kind: "no-credentials" }),
  "wrong-account": () => ({ kind: "wrong-account" }),
  "wrong-role": () => ({ kind: "wrong-role" }),
  "hostile-token": () => ({ kind: "hostile-field", field: "sessionToken" }),
  "no-flavor": () => ({ kind: "no-flavor" }),
  "not-a-jwt": () => ({ kind: "not-a-jwt" }),
  "huge-token": () => ({ kind: "huge-token" }),
};

/** A fault as people type it: `hang`, `status:503`, `latency:250`, or an AWS error code such as `AccessDenied`. */
export function parseFault(text: string): Fault | undefined {
  if (isStsErrorCode(text)) return { kind: "aws-error", code: text };
  const [name = "", value = ""] = text.split(":", 2);
  return NAMED[name]?.(value);
}
