import { isLinkLocalHost, isLoopbackHost } from "../base/host.ts";
import { interruption } from "../base/interruption.ts";
import { request, describeResponse, type HttpResponse, type HttpRequest } from "./http.ts";
import type { NetContext } from "./context.ts";

/**
 * What the pauses between the attempts add up to at least while a server fails in passing, in milliseconds: a resolver or
 * a server that restarts needs some seconds, and a tool waits for its keys.
 */
export const RETRY_MS = 15_000;

/** Which responses are retried, and the total back-off. */
export interface RetryPolicy {
  readonly isTransient: (response: HttpResponse) => boolean;
  /** What the pauses between the attempts add up to at least, in milliseconds; two seconds more at most. */
  readonly pausesMs: number;
}

/** 429, 5xx, and a server that is just starting or stopping. */
export function isTransient(response: HttpResponse): boolean {
  if (response.kind === "response") return response.status === 429 || response.status >= 500;
  return response.fault === "refused" || response.fault === "cut";
}

/** The network is not up yet, or its resolver fails. */
export function isNetworkDown(response: HttpResponse): boolean {
  return response.kind === "fault" && (response.fault === "unreachable" || response.fault === "name-unknown");
}

/**
 * What passes by itself at a server of this host. One on this machine or its hypervisor that cannot be reached is not
 * there; any other is behind a network that may come back.
 */
export function isTransientAt({ hostname }: URL): (response: HttpResponse) => boolean {
  const isHere = isLoopbackHost(hostname) || isLinkLocalHost(hostname);
  return (response) => isTransient(response) || (!isHere && isNetworkDown(response));
}

/**
 * Asks until a response is no longer transient, with growing, jittered pauses (0.1 s to 2 s) that never go past the
 * deadline. The last response is returned, whatever it is.
 *
 * @param who for messages: `the metadata server at 127.0.0.1:80`; nothing of the URL's query is ever shown.
 * @throws Failure TIMEOUT or INTERRUPTED.
 */
export async function requestWithRetry(
  details: Omit<HttpRequest, "signal">,
  who: string,
  policy: RetryPolicy,
  context: NetContext,
): Promise<HttpResponse> {
  const { deadline, clock, verbose } = context;
  let pauses = 0;
  for (let attempt = 0; ; attempt += 1) {
    const response = await askOnce(details, who, context);
    verbose(`identity: ${details.method ?? "GET"} ${who}: ${describeResponse(response)}`);
    const pause = Math.min(100 * 2 ** attempt, 2000) * (0.5 + clock.random() / 2);
    const enough = pauses >= policy.pausesMs || pause >= deadline.remainingMs();
    if (!policy.isTransient(response) || enough) return response;
    verbose(`identity: ${who}: ${describeResponse(response)}, trying again in ${Math.round(pause)} ms`);
    await sleepWithin(pause, context, `${who}: ${describeResponse(response)}`);
    pauses += pause;
  }
}

async function askOnce(
  details: Omit<HttpRequest, "signal">,
  who: string,
  { deadline, outbound, onSent }: NetContext,
): Promise<HttpResponse> {
  try {
    return await request({ ...details, outbound, signal: deadline.signal, onSent });
  } catch (error) {
    if (deadline.signal.aborted) throw interruption(deadline, `${who} has not answered`);
    throw error;
  }
}

async function sleepWithin(ms: number, context: NetContext, what: string): Promise<void> {
  try {
    await context.clock.sleep(ms, context.deadline.signal);
  } catch (error) {
    if (context.deadline.signal.aborted) throw interruption(context.deadline, what);
    throw error;
  }
}
