import { FaultRules, type Fault, type FaultOptions } from "./fault.ts";
import { startLoopbackServer, type ReceivedRequest } from "./loopback-server.ts";
import type { Reply } from "./reply.ts";
import { sendSpoiled } from "./spoil.ts";

/** A loopback server that hands out tokens as somebody's real one does, and misbehaves when told to. */
export interface TokenService extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a final slash. */
  readonly url: string;
  /** Every request so far, as it came. */
  readonly calls: readonly ReceivedRequest[];
  misbehave(fault: Fault | undefined, options?: FaultOptions): void;
  /** Resolves when the next request arrives. */
  nextCall(): Promise<void>;
  /** Stops listening: callers get ECONNREFUSED. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/** @param now the server's clock, for its `Date` header */
export async function startTokenService(
  answer: (request: ReceivedRequest) => Promise<Reply> | Reply,
  now: () => Date = () => new Date(),
): Promise<TokenService> {
  const rules = new FaultRules();
  const calls: ReceivedRequest[] = [];
  let waiting: (() => void)[] = [];
  const server = await startLoopbackServer(0, async (request, response) => {
    calls.push(request);
    for (const resolve of waiting) resolve();
    waiting = [];
    const path = new URL(request.target, "http://localhost").pathname;
    await sendSpoiled(response, rules.take(path), `http://127.0.0.1:${server.port}/trap`, async () => {
      const reply = await answer(request);
      return { ...reply, headers: { Date: now().toUTCString(), ...reply.headers } };
    });
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    calls,
    misbehave: (fault, options = {}) => rules.set(fault, options),
    nextCall: () => new Promise((resolve) => waiting.push(resolve)),
    pause: server.pause,
    resume: server.resume,
    [Symbol.asyncDispose]: server.pause,
  };
}

export function jsonReply(value: unknown, status = 200): Reply {
  return { status, headers: { "Content-Type": "application/json; charset=utf-8" }, body: JSON.stringify(value) };
}

export function textReply(text: string, status = 200): Reply {
  return { status, headers: { "Content-Type": "text/plain" }, body: text };
}

/** The claims that every issuer's token has, an hour long. */
export function timesAt(now: Date): { readonly iat: number; readonly nbf: number; readonly exp: number } {
  const iat = Math.floor(now.getTime() / 1000);
  return { iat, nbf: iat, exp: iat + 3600 };
}
