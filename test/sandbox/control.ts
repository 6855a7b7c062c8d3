import { parseFault } from "./fault.ts";
import { publicKeys } from "./google-token.ts";
import type { ReceivedRequest } from "./loopback-server.ts";
import type { Reply } from "./reply.ts";
import type { Sandbox } from "./sandbox.ts";

/**
 * What the STS port serves beside STS: the issuer's documents, and control from other processes.
 *
 * - `GET /_sandbox/calls`: the calls so far, as JSON.
 * - `POST /_sandbox/fault` `{"target": "sts", "fault": "status:503", "times": 1, "action": "AssumeRole"}`; fault null lifts.
 * - `POST /_sandbox/advance` `{"ms": 3600000}`: moves the servers' clock.
 * - `POST /_sandbox/token` `{"aud": "gcp"}`: a token with these claims set over the default ones.
 */
const PATHS = [
  "/.well-known/openid-configuration",
  "/jwks",
  "/_sandbox/calls",
  "/_sandbox/fault",
  "/_sandbox/advance",
  "/_sandbox/token",
];

export const isControl = (request: ReceivedRequest): boolean => PATHS.includes(request.target);

const json = (value: unknown, status = 200): Reply => ({
  status,
  headers: { "Content-Type": "application/json" },
  body: `${JSON.stringify(value)}\n`,
});

const bad = (why: string): Reply => json({ error: why }, 400);

function setFault(sandbox: Sandbox, wanted: Readonly<Record<string, unknown>>): Reply {
  const { target, fault, times, action } = wanted;
  if (target !== "sts" && target !== "metadata") return bad("target must be sts or metadata");
  const parsed = typeof fault === "string" ? parseFault(fault) : undefined;
  if (parsed === undefined && fault !== null) return bad("fault not known");
  sandbox.misbehave(target, parsed, {
    ...(typeof times === "number" ? { times } : {}),
    ...(typeof action === "string" ? { action } : {}),
  });
  return json({ ok: true });
}

function readObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Answers a request to one of the paths above. */
export async function answerControl(sandbox: Sandbox, request: ReceivedRequest): Promise<Reply> {
  switch (request.target) {
    case "/.well-known/openid-configuration":
      return json({
        issuer: sandbox.issuerUrl,
        jwks_uri: `${sandbox.issuerUrl}/jwks`,
        response_types_supported: ["id_token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
      });
    case "/jwks":
      return json(await publicKeys());
    case "/_sandbox/calls":
      return json(sandbox.calls);
    default:
  }
  const wanted = request.method === "POST" ? readObject(request.body) : undefined;
  if (wanted === undefined) return bad("POST a JSON object");
  switch (request.target) {
    case "/_sandbox/fault":
      return setFault(sandbox, wanted);
    case "/_sandbox/advance":
      if (typeof wanted["ms"] !== "number") return bad("ms must be a number");
      sandbox.advance(wanted["ms"]);
      return json({ ok: true });
    default:
      return {
        status: 200,
        headers: { "Content-Type": "application/jwt" },
        body: await sandbox.mintToken(wanted),
      };
  }
}
