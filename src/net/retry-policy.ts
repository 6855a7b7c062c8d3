import { isLinkLocalHost, isLoopbackHost } from "../base/host.ts";
import { interruption } from "../base/interruption.ts";
import { ask, describeAnswer, type HttpAnswer, type HttpQuestion } from "./http.ts";
import type { NetContext } from "./context.ts";

/**
 * What the pauses between the attempts add up to at least while a server fails in passing, in milliseconds: a resolver or
 * a server that restarts needs some seconds, and a tool waits for its keys.
 */
export const PATIENCE_MS = 15_000;

/** Which answers are worth a second question, and how long to go on. */
export interface Patience {
  readonly isTransient: (answer: HttpAnswer) => boolean;
  /** What the pauses between the attempts add up to at least, in milliseconds; two seconds more at most. */
  readonly pausesMs: number;
}

/** 429, 5xx, and a server that is just starting or stopping. */
export function isTransient(answer: HttpAnswer): boolean {
  if (answer.kind === "answer") return answer.status === 429 || answer.status >= 500;
  return answer.fault === "refused" || answer.fault === "cut";
}

/** The network is not up yet, or its resolver fails. */
export function isNetworkDown(answer: HttpAnswer): boolean {
  return answer.kind === "fault" && (answer.fault === "unreachable" || answer.fault === "name-unknown");
}

/**
 * What passes by itself at a server of this host. One on this machine or its hypervisor that cannot be reached is not
 * there; any other is behind a network that may come back.
 */
export function isTransientAt({ hostname }: URL): (answer: HttpAnswer) => boolean {
  const isHere = isLoopbackHost(hostname) || isLinkLocalHost(hostname);
  return (answer) => isTransient(answer) || (!isHere && isNetworkDown(answer));
}

/**
 * Asks until an answer is no longer transient, with growing, jittered pauses (0.1 s to 2 s) that never go past the
 * deadline. The last answer is returned, whatever it is.
 *
 * @param who for messages: `the metadata server at 127.0.0.1:80`; nothing of the URL's query is ever shown.
 * @throws Failure TIMEOUT or INTERRUPTED.
 */
export async function askPatiently(
  question: Omit<HttpQuestion, "signal">,
  who: string,
  patience: Patience,
  context: NetContext,
): Promise<HttpAnswer> {
  const { deadline, clock, verbose } = context;
  let pauses = 0;
  for (let attempt = 0; ; attempt += 1) {
    const answer = await askOnce(question, who, context);
    verbose(`identity: ${question.method ?? "GET"} ${who}: ${describeAnswer(answer)}`);
    const pause = Math.min(100 * 2 ** attempt, 2000) * (0.5 + clock.random() / 2);
    const enough = pauses >= patience.pausesMs || pause >= deadline.remainingMs();
    if (!patience.isTransient(answer) || enough) return answer;
    verbose(`identity: ${who}: ${describeAnswer(answer)}, trying again in ${Math.round(pause)} ms`);
    await sleepWithin(pause, context, `${who}: ${describeAnswer(answer)}`);
    pauses += pause;
  }
}

async function askOnce(
  question: Omit<HttpQuestion, "signal">,
  who: string,
  { deadline, outbound, onAsked }: NetContext,
): Promise<HttpAnswer> {
  try {
    return await ask({ ...question, outbound, signal: deadline.signal, onSent: onAsked });
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
