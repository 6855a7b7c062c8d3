import { Failure } from "../base/failure.ts";
import { askEither, metadataAddress, showsGoogleCloud, type MetadataAddress } from "./gcp-address.ts";
import { dateOf, describeResponse, type HttpResponse } from "../net/http.ts";
import type { IdentityContext } from "./context.ts";
import { requestWithRetry, isNetworkDown, isTransient, RETRY_MS } from "../net/retry-policy.ts";

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

/** The sum of the pauses where nothing tells of Google Cloud, and nobody named an address: a wrong machine has no server. */
const WRONG_MACHINE_MS = 5_000;
/** A machine on Google Cloud reaches the server in milliseconds, but GKE's takes seconds after a pod's start. */
const CONNECT_MS = { here: 10_000, elsewhere: 3_000 };
/** gtoken had to raise its limit to 15 s for GKE's metadata server (doitintl/gtoken, sainfo.go). */
const ANSWER_MS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Asks the metadata server (https://cloud.google.com/compute/docs/metadata/querying-metadata): `Metadata-Flavor: Google`
 * is sent and required in the answer, redirects and proxies are never used. 429, 5xx, a refused or cut connection and,
 * on Google Cloud, any other failing connection are tried again with growing, jittered pauses (0.1 s to 2 s) that add up
 * to 15 s, or 5 s where neither an address is named nor the machine shows signs of Google Cloud, and never go past the deadline. By
 * name it is asked where the address fails (`askEither`), which takes no longer.
 *
 * @param path below `/computeMetadata/v1/`, with its query.
 * @throws Failure IDENTITY_UNAVAILABLE (no metadata server here), IDENTITY_TEMPORARY (it is slow or failing),
 *   IDENTITY_INVALID_RESPONSE (what answered is something else), TIMEOUT or INTERRUPTED.
 */
export async function askMetadata(path: string, context: IdentityContext): Promise<MetadataAnswer> {
  const address = metadataAddress(context.env);
  // Whoever named an address knows better than the BIOS what stands there.
  const showsGoogle = address.namedBy === undefined && (await showsGoogleCloud(context.env));
  const where = showsGoogle ? "here" : "elsewhere";
  const retryMs = showsGoogle || address.namedBy !== undefined ? RETRY_MS : WRONG_MACHINE_MS;
  const { answer, at } = await askEither(
    address,
    (base, signal, headStartMs) => {
      const url = new URL(`/computeMetadata/v1/${path}`, base);
      const connectMs = CONNECT_MS[where] - headStartMs;
      const limits = { connectMs, totalMs: ANSWER_MS, maxBytes: MAX_ANSWER_BYTES };
      const pausesMs = headStartMs > 0 && !showsGoogle ? 0 : retryMs;
      return requestWithRetry(
        { url, headers: { "Metadata-Flavor": "Google" }, ...limits },
        `the metadata server at ${url.host}`,
        // On Google Cloud the server is there: what fails is a network that is not up yet.
        { pausesMs, isTransient: (one) => isTransient(one) || (showsGoogle && isNetworkDown(one)) },
        { ...context, deadline: { ...context.deadline, signal } },
      );
    },
    context.deadline.signal,
  );
  return judge(answer, { ...address, base: at }, showsGoogle);
}

function judge(answer: HttpResponse, address: MetadataAddress, showsGoogle: boolean): MetadataAnswer {
  const host = address.base.host;
  const server = `the metadata server at ${host}`;
  if (answer.kind === "fault") throw faultFailure(answer, server, address, showsGoogle);
  if (answer.status === 429 || answer.status >= 500) {
    throw new Failure("IDENTITY_TEMPORARY", `${server} keeps responding with status ${answer.status}`);
  }
  if (answer.headers["metadata-flavor"] !== "Google") {
    const told = `what answers at ${host} is not Google's metadata server: status ${answer.status} without \`Metadata-Flavor: Google\``;
    // EC2 and Azure answer at the same address: there is a server, but not the one that was meant.
    if (address.namedBy === undefined && !showsGoogle) {
      throw new Failure("IDENTITY_UNAVAILABLE", told, { hint: whereToLook(address) });
    }
    // Refusals pass without it, for their status tells more; nothing of them is believed.
    if (answer.status < 400) throw new Failure("IDENTITY_INVALID_RESPONSE", told, { hint: whereToLook(address) });
  }
  return { status: answer.status, body: answer.body, date: dateOf(answer.headers), host, showsGoogle };
}

function faultFailure(
  answer: HttpResponse & { kind: "fault" },
  server: string,
  address: MetadataAddress,
  showsGoogle: boolean,
): Failure {
  const message = `${server}: ${describeResponse(answer)}`;
  switch (answer.fault) {
    case "response-timeout":
    case "cut":
      return new Failure("IDENTITY_TEMPORARY", message, {
        hint: "the server is slow or failing; the next run will retry",
      });
    case "too-large":
    case "tls":
    case "not-http":
      return new Failure("IDENTITY_INVALID_RESPONSE", message, { hint: whereToLook(address) });
    case "name-unknown":
    case "unreachable":
    case "refused":
    case "connect-timeout":
      if (showsGoogle)
        return new Failure("IDENTITY_TEMPORARY", message, {
          hint: "this machine shows signs of Google Cloud; its network may not be up yet",
        });
      return new Failure(
        "IDENTITY_UNAVAILABLE",
        `no metadata server at ${address.base.host}: ${describeResponse(answer)}`,
        {
          hint: whereToLook(address),
        },
      );
  }
}

function whereToLook(address: MetadataAddress): string {
  return address.namedBy === undefined
    ? "this machine does not look like one on Google Cloud: `gcp-metadata` works only there; choose another `identity`"
    : `check ${address.namedBy}, which names this address`;
}
