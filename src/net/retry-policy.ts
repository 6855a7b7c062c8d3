import { type Deadline, interruption } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import { isLocalHost } from "../base/host.ts";
import type { Clock } from "../base/world.ts";
import { isTemporaryStatus } from "./connection-fault.ts";
import { describeResponse, type HttpRequest, type HttpResponse, request } from "./http.ts";
import type { Outbound } from "./outbound.ts";

/** The one retry policy: token servers, sources of credentials and the SDK's calls are retried alike. */

/**
 * What the pauses between the attempts add up to at least, in milliseconds: a resolver, a server that restarts, an STS behind a
 * balancer or an issuer that STS cannot reach needs some seconds, and a tool waits for its credentials.
 */
export const RETRY_MS = 15_000;

/** Attempts of an STS call at least, the first included, however long each of them takes. */
export const FEWEST_ATTEMPTS = 5;

interface Pauses {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** The first pause is the SDK's own (smithy's util-retry/retries-2026-config.js); a throttled call waits longer. */
const PAUSES = {
  TRANSIENT: { firstMs: 100, longestMs: 2000 },
  THROTTLING: { firstMs: 1000, longestMs: 20_000 },
} satisfies Record<string, Pauses>;

/** The pause after so many retries, in milliseconds: doubled each time, half of it by chance. */
function pauseBefore(retries: number, clock: Clock, { firstMs, longestMs }: Pauses = PAUSES.TRANSIENT): number {
  const full = Math.min(firstMs * 2 ** retries, longestMs);
  return full / 2 + (full / 2) * clock.random();
}

/** What a request needs of the run. */
export interface NetContext {
  readonly clock: Clock;
  readonly deadline: Deadline;
  /** The run's connections: proxies and certificates as configured; absent: every server is asked directly. */
  readonly outbound?: Outbound;
  /** Called when a request has been sent: the time for what does not need its response. */
  readonly onSent?: () => void;
  /** Takes a line for `--verbose`; it never holds a token. */
  readonly verbose: (line: string) => void;
}

interface Retries<T> {
  readonly isTransient: (result: T) => boolean;
  /** What the pauses add up to at least, in milliseconds; two seconds more at most. */
  readonly pausesMs: number;
  /** Called before each pause. */
  readonly onRetry?: (result: T, pauseMs: number) => void;
}

/**
 * Repeats `attempt` until its result is no longer transient. A pause that would outlast the deadline is not begun, so that the
 * last result is returned instead of a timeout.
 *
 * @throws what `attempt` throws; the reason of the deadline that ends a pause
 */
async function retry<T>(
  attempt: () => Promise<T>,
  policy: Retries<T>,
  { clock, deadline }: Pick<NetContext, "clock" | "deadline">,
): Promise<T> {
  let pausedMs = 0;
  for (let retries = 0; ; retries++) {
    const result = await attempt();
    const pauseMs = pauseBefore(retries, clock);
    const isOver = pausedMs >= policy.pausesMs || pauseMs >= deadline.remainingMs();
    if (isOver || !policy.isTransient(result)) return result;
    policy.onRetry?.(result, pauseMs);
    await clock.sleep(pauseMs, deadline.signal);
    pausedMs += pauseMs;
  }
}

/** Which responses are retried, and the total back-off. */
type RetryPolicy = Pick<Retries<HttpResponse>, "isTransient" | "pausesMs">;

/** 429, 5xx, and a server that is just starting or stopping. */
export function isTransient(response: HttpResponse): boolean {
  if (response.kind === "response") return isTemporaryStatus(response.status);
  return response.fault === "refused" || response.fault === "cut";
}

/** The network is not up yet, or its resolver fails. */
export function isNetworkDown(response: HttpResponse): boolean {
  return response.kind === "fault" && (response.fault === "unreachable" || response.fault === "name-unknown");
}

/**
 * What is transient at a server of this host. One on this machine or its hypervisor that is unreachable does not exist; any other
 * is behind a network that may come back.
 */
export function isTransientAt({ hostname }: URL): (response: HttpResponse) => boolean {
  const isHere = isLocalHost(hostname);
  return (response) => isTransient(response) || (!isHere && isNetworkDown(response));
}

/**
 * Sends a request, with retries while its response is transient; the last response is returned, whatever it is.
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
  const { deadline, outbound, onSent, verbose } = context;
  const { signal } = deadline;
  let slow = `${who} has not answered`;
  const send = async () => {
    slow = `${who} has not answered`;
    const response = await request({ ...details, outbound, signal, onSent });
    verbose(`identity: ${details.method ?? "GET"} ${who}: ${describeResponse(response)}`);
    return response;
  };
  const onRetry = (response: HttpResponse, pauseMs: number) => {
    slow = `${who}: ${describeResponse(response)}`;
    verbose(`identity: ${slow}, retrying in ${Math.round(pauseMs)} ms`);
  };
  try {
    return await retry(send, { ...policy, onRetry }, context);
  } catch (error) {
    throw signal.aborted ? interruption(deadline, slow) : error;
  }
}

/**
 * Retries a source of credentials while it fails with IDENTITY_TEMPORARY: the SDK's providers of a machine's credentials try twice
 * without a pause.
 *
 * @throws the last failure; what else `work` throws; TIMEOUT, INTERRUPTED
 */
export async function retryTemporary<T>(work: () => Promise<T>, clock: Clock, deadline: Deadline): Promise<T> {
  const attempt = async (): Promise<{ readonly value: T } | { readonly failure: Failure }> => {
    try {
      return { value: await work() };
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "IDENTITY_TEMPORARY") throw error;
      return { failure: error };
    }
  };
  const policy = { isTransient: (result: object) => "failure" in result, pausesMs: RETRY_MS };
  const last = await retry(attempt, policy, { clock, deadline });
  if ("failure" in last) throw last.failure;
  return last.value;
}

interface RetryToken {
  readonly getRetryCount: () => number;
  readonly getRetryDelay: () => number;
}

interface RetryErrorInfo {
  readonly error?: unknown;
  readonly errorType: string;
  readonly retryAfterHint?: Date;
}

/** What the SDK passes from one attempt to the next. */
class Attempts implements RetryToken {
  readonly getRetryCount: () => number;
  readonly getRetryDelay = () => 0;
  /** By the monotonic clock. */
  readonly startedMs: number;
  /** All pauses together. */
  readonly pausedMs: number;

  constructor(count: number, startedMs: number, pausedMs: number) {
    this.getRetryCount = () => count;
    this.startedMs = startedMs;
    this.pausedMs = pausedMs;
  }
}

/** Called before each pause, for `--verbose`. */
type OnRetry = (error: unknown, attempt: number, pauseMs: number) => void;

/**
 * The same policy for the SDK, which says what is transient: for 15 s and five attempts at least. The SDK's StandardRetryStrategy
 * sleeps on an uncancelled timer that keeps the process alive; this one's pauses end with the deadline.
 *
 * @returns what the SDK takes as `retryStrategy` (smithy's RetryStrategyV2).
 */
export function sdkRetryStrategy(deadline: Deadline, clock: Clock, onRetry: OnRetry) {
  return {
    mode: "standard",
    acquireInitialRetryToken: async (): Promise<Attempts> => new Attempts(0, clock.monotonicMs(), 0),
    refreshRetryTokenForRetry: async (used: RetryToken, info: RetryErrorInfo): Promise<Attempts> => {
      if (!(used instanceof Attempts)) throw new TypeError("not a token of this strategy");
      const count = used.getRetryCount() + 1;
      if (info.errorType !== "THROTTLING" && info.errorType !== "TRANSIENT") throw new Error("not transient");
      const triedMs = Math.max(clock.monotonicMs() - used.startedMs, used.pausedMs);
      if (count >= FEWEST_ATTEMPTS && triedMs >= RETRY_MS) throw new Error("tried for long enough");
      const ownMs = pauseBefore(count - 1, clock, PAUSES[info.errorType]);
      // As the SDK does, what the server asks for counts up to five seconds more than our own pause.
      const askedMs = (info.retryAfterHint?.getTime() ?? 0) - clock.now().getTime();
      const pauseMs = Math.max(ownMs, Math.min(askedMs, ownMs + 5000));
      if (pauseMs >= deadline.remainingMs()) throw new Error("no time left");
      onRetry(info.error, count, pauseMs);
      await clock.sleep(pauseMs, deadline.signal);
      return new Attempts(count, used.startedMs, used.pausedMs + pauseMs);
    },
    recordSuccess: (): void => {},
  };
}
