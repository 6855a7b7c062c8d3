import { interruption } from "../base/interruption.ts";
import { ask, describeAnswer, type HttpAnswer, type HttpQuestion } from "./http.ts";
import type { IdentityContext } from "./obtain.ts";

/** Which answers are worth a second question, and how long to go on. */
export interface Patience {
  readonly isTransient: (answer: HttpAnswer) => boolean;
  /** What the pauses between the attempts may add up to, in milliseconds. */
  readonly pausesMs: number;
}

/** 429, 5xx, and a server that is just starting or stopping. */
export function isTransient(answer: HttpAnswer): boolean {
  if (answer.kind === "answer") return answer.status === 429 || answer.status >= 500;
  return answer.fault === "refused" || answer.fault === "cut";
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
  context: IdentityContext,
): Promise<HttpAnswer> {
  const { deadline, clock, verbose } = context;
  let pauses = 0;
  for (let attempt = 0; ; attempt += 1) {
    const answer = await askOnce(question, who, context);
    verbose(`identity: ${question.method ?? "GET"} ${who}: ${describeAnswer(answer)}`);
    const pause = Math.min(100 * 2 ** attempt, 2000) * (0.5 + clock.random() / 2);
    const enough = pauses + pause > patience.pausesMs || pause >= deadline.remainingMs();
    if (!patience.isTransient(answer) || enough) return answer;
    verbose(`identity: ${who}: ${describeAnswer(answer)}, trying again in ${Math.round(pause)} ms`);
    await sleepWithin(pause, context, `${who}: ${describeAnswer(answer)}`);
    pauses += pause;
  }
}

async function askOnce(
  question: Omit<HttpQuestion, "signal">,
  who: string,
  { deadline, outbound, onAsked }: IdentityContext,
): Promise<HttpAnswer> {
  try {
    return await ask({ ...question, outbound, signal: deadline.signal, onSent: onAsked });
  } catch (error) {
    if (deadline.signal.aborted) throw interruption(deadline, `${who} has not answered`);
    throw error;
  }
}

async function sleepWithin(ms: number, context: IdentityContext, what: string): Promise<void> {
  try {
    await context.clock.sleep(ms, context.deadline.signal);
  } catch (error) {
    if (context.deadline.signal.aborted) throw interruption(context.deadline, what);
    throw error;
  }
}
