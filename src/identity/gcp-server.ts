import { Failure } from "../base/failure.ts";
import { metadataAddress, showsGoogleCloud, type MetadataAddress } from "./gcp-address.ts";
import { ask, dateOf, type HttpAnswer, type HttpFault } from "./http.ts";
import { interruption } from "../base/interruption.ts";
import type { IdentityContext } from "./obtain.ts";

/** What the metadata server said: a status other than 429 and 5xx; when it is below 400, with its flavor header proven. */
export interface MetadataAnswer {
  readonly status: number;
  readonly body: string;
  /** The server's own time; undefined when it sent none. */
  readonly date: Date | undefined;
  /** `host:port`, for messages. */
  readonly host: string;
  readonly showsGoogle: boolean;
}

/** Sums of the pauses between attempts. A booting machine's server may need some seconds; a wrong machine has none. */
const PATIENCE_MS = { here: 10_000, elsewhere: 5_000 };
/** A machine on Google Cloud reaches the server in milliseconds, but GKE's takes seconds after a pod's start. */
const CONNECT_MS = { here: 10_000, elsewhere: 3_000 };
/** gtoken had to raise its limit to 15 s for GKE's metadata server (doitintl/gtoken, sainfo.go). */
const ANSWER_MS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Asks the metadata server (https://cloud.google.com/compute/docs/metadata/querying-metadata): `Metadata-Flavor: Google`
 * is sent and required in the answer, redirects and proxies are never used. 429, 5xx, a refused or cut connection and,
 * on Google Cloud, any other failing connection are tried again with growing, jittered pauses (0.1 s to 2 s) that add up
 * to at most 5 s, or 10 s where the machine shows signs of Google Cloud, and never go past the deadline.
 *
 * @param path below `/computeMetadata/v1/`, with its query.
 * @throws Failure IDENTITY_UNAVAILABLE (no metadata server here), IDENTITY_TEMPORARY (it is slow or failing),
 *   IDENTITY_NONSENSE (what answered is something else), TIMEOUT or INTERRUPTED.
 */
export async function askMetadata(path: string, context: IdentityContext): Promise<MetadataAnswer> {
  const address = metadataAddress(context.env);
  // Whoever named an address knows better than the BIOS what stands there.
  const showsGoogle = address.namedBy === undefined && (await showsGoogleCloud(context.env));
  const where = showsGoogle ? "here" : "elsewhere";
  const url = new URL(`/computeMetadata/v1/${path}`, address.base);
  let pauses = 0;
  for (let attempt = 0; ; attempt += 1) {
    const answer = await askOnce(url, CONNECT_MS[where], context);
    const pause = Math.min(100 * 2 ** attempt, 2000) * (0.5 + context.clock.random() / 2);
    const enough = pauses + pause > PATIENCE_MS[where] || pause >= context.deadline.remainingMs();
    if (!isTransient(answer, showsGoogle) || enough) return judge(answer, address, showsGoogle);
    context.verbose(`identity: ${url.host}: ${describe(answer)}, trying again in ${Math.round(pause)} ms`);
    await sleepWithin(pause, context, `the metadata server at ${url.host}: ${describe(answer)}`);
    pauses += pause;
  }
}

async function askOnce(url: URL, connectMs: number, context: IdentityContext): Promise<HttpAnswer> {
  const { deadline } = context;
  try {
    const answer = await ask({
      url,
      headers: { "Metadata-Flavor": "Google" },
      connectMs,
      totalMs: ANSWER_MS,
      maxBytes: MAX_ANSWER_BYTES,
      signal: deadline.signal,
    });
    context.verbose(`identity: GET ${url.href}: ${describe(answer)}`);
    return answer;
  } catch (error) {
    if (deadline.signal.aborted) throw interruption(deadline, `the metadata server at ${url.host} has not answered`);
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

function isTransient(answer: HttpAnswer, showsGoogle: boolean): boolean {
  if (answer.kind === "answer") return answer.status === 429 || answer.status >= 500;
  if (answer.fault === "refused" || answer.fault === "cut") return true;
  return showsGoogle && (answer.fault === "unreachable" || answer.fault === "name-unknown");
}

const FAULTS: Readonly<Record<HttpFault, string>> = {
  "name-unknown": "its name is unknown",
  unreachable: "it cannot be reached",
  refused: "it refuses connections",
  "connect-timeout": "no connection",
  "answer-timeout": "connected, but no whole answer",
  cut: "it cut the connection",
  "too-large": "its answer is too large",
  tls: "TLS fails",
  "not-http": "it does not speak HTTP",
};

const describe = (answer: HttpAnswer): string =>
  answer.kind === "answer" ? `status ${answer.status}` : `${FAULTS[answer.fault]} (${answer.detail})`;

function judge(answer: HttpAnswer, address: MetadataAddress, showsGoogle: boolean): MetadataAnswer {
  const host = address.base.host;
  const server = `the metadata server at ${host}`;
  if (answer.kind === "fault") throw faultFailure(answer, server, address, showsGoogle);
  if (answer.status === 429 || answer.status >= 500) {
    throw new Failure("IDENTITY_TEMPORARY", `${server} keeps answering with status ${answer.status}`);
  }
  if (answer.headers["metadata-flavor"] !== "Google") {
    const told = `what answers at ${host} is not Google's metadata server: status ${answer.status} without \`Metadata-Flavor: Google\``;
    // EC2 and Azure answer at the same address: there is a server, but not the one that was meant.
    if (address.namedBy === undefined && !showsGoogle) {
      throw new Failure("IDENTITY_UNAVAILABLE", told, { hint: whereToLook(address) });
    }
    // Refusals pass without it, for their status tells more; nothing of them is believed.
    if (answer.status < 400) throw new Failure("IDENTITY_NONSENSE", told, { hint: whereToLook(address) });
  }
  return { status: answer.status, body: answer.body, date: dateOf(answer.headers), host, showsGoogle };
}

function faultFailure(
  answer: HttpAnswer & { kind: "fault" },
  server: string,
  address: MetadataAddress,
  showsGoogle: boolean,
): Failure {
  const message = `${server}: ${describe(answer)}`;
  switch (answer.fault) {
    case "answer-timeout":
    case "cut":
      return new Failure("IDENTITY_TEMPORARY", message, {
        hint: "the server is there but slow or failing; the next run may heal it",
      });
    case "too-large":
    case "tls":
    case "not-http":
      return new Failure("IDENTITY_NONSENSE", message, { hint: whereToLook(address) });
    case "name-unknown":
    case "unreachable":
    case "refused":
    case "connect-timeout":
      if (showsGoogle)
        return new Failure("IDENTITY_TEMPORARY", message, {
          hint: "this machine shows signs of Google Cloud; its network may not be up yet",
        });
      return new Failure("IDENTITY_UNAVAILABLE", `no metadata server at ${address.base.host}: ${describe(answer)}`, {
        hint: whereToLook(address),
      });
  }
}

function whereToLook(address: MetadataAddress): string {
  return address.namedBy === undefined
    ? "this machine does not look like one on Google Cloud: `gcp-metadata` works only there; choose another `identity`"
    : `look at ${address.namedBy}, which names this address`;
}
