import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { AppliedFault, Fault } from "./fault.ts";
import type { Reply } from "./reply.ts";

/** Sends answers, well or as a fault has it. */

const LOGIN_PAGE = `<!DOCTYPE html>
<html><head><title>Sign in</title></head>
<body><form action="/login" method="post"><input name="user"><input name="password" type="password"></form></body></html>
`;

/** The answer of faults that never ask the service. */
function replyInstead(fault: Fault | undefined, trapUrl: string): Reply | undefined {
  if (fault?.kind === "garbage") {
    return { status: 200, headers: { "Content-Type": "text/xml" }, body: randomBytes(2048) };
  }
  if (fault?.kind === "html") {
    return { status: 200, headers: { "Content-Type": "text/html; charset=utf-8" }, body: LOGIN_PAGE };
  }
  if (fault?.kind === "redirect") {
    return { status: 302, headers: { Location: fault.location ?? trapUrl }, body: "" };
  }
  if (fault?.kind === "status") {
    const { status, retryAfterSeconds } = fault;
    const wait = retryAfterSeconds === undefined ? {} : { "Retry-After": String(retryAfterSeconds) };
    return { status, headers: { "Content-Type": "text/plain", ...wait }, body: "" };
  }
  return undefined;
}

function sendHead(response: ServerResponse, reply: Reply): Buffer {
  const body = Buffer.from(reply.body);
  response.writeHead(reply.status, { ...reply.headers, "Content-Length": body.length });
  return body;
}

/** Sends an answer as it is. */
export function send(response: ServerResponse, reply: Reply): void {
  response.end(sendHead(response, reply));
}

async function drip(response: ServerResponse, reply: Reply, everyMs: number): Promise<void> {
  const body = sendHead(response, reply);
  for (const byte of body) {
    if (response.destroyed) return;
    response.write(Buffer.of(byte));
    await sleep(everyMs, undefined, { ref: false });
  }
  response.end();
}

async function flood(response: ServerResponse, reply: Reply, bytes: number): Promise<void> {
  const start = Buffer.from(reply.body).subarray(0, 200);
  const block = Buffer.alloc(64 * 1024, "A");
  const blocks = Array.from({ length: Math.ceil(bytes / block.length) }, () => block);
  response.writeHead(reply.status, reply.headers);
  // Rejects when the client has had enough; the server then takes that as the end.
  await pipeline(Readable.from([start, ...blocks]), response);
}

async function sendBent(response: ServerResponse, reply: Reply, fault: Fault | undefined): Promise<void> {
  if (fault?.kind === "drip") await drip(response, reply, fault.everyMs ?? 200);
  else if (fault?.kind === "huge-body") await flood(response, reply, fault.bytes ?? 64 * 1024 * 1024);
  else if (fault?.kind === "empty-body") send(response, { ...reply, body: "" });
  else if (fault?.kind === "body") send(response, { ...reply, status: 200, body: fault.text });
  else if (fault?.kind === "half-body") {
    const body = sendHead(response, reply);
    response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.socket?.end());
  } else send(response, reply);
}

/**
 * Answers under a fault. `answer` is worked out only where the fault lets the request through.
 *
 * @returns the status that went out, undefined where none did.
 */
export async function sendSpoiled(
  response: ServerResponse,
  applied: AppliedFault | undefined,
  trapUrl: string,
  answer: () => Promise<Reply>,
): Promise<number | undefined> {
  const fault = applied?.fault;
  const instead = replyInstead(fault, trapUrl);
  if (instead !== undefined) {
    send(response, instead);
    return instead.status;
  }
  if (fault?.kind === "hang") return undefined;
  if (fault?.kind === "reset") {
    response.socket?.resetAndDestroy();
    return undefined;
  }
  if (fault?.kind === "hold" && applied?.lifted?.aborted === false) await once(applied.lifted, "abort");
  if (fault?.kind === "latency") await sleep(fault.ms, undefined, { ref: false });
  const reply = await answer();
  await sendBent(response, reply, fault);
  return reply.status;
}
