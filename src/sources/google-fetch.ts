import { isLinkLocalHost, isLoopbackHost } from "../base/host.ts";
import { Failure } from "../base/failure.ts";
import type { GoogleCredentials } from "./google-credentials-file.ts";
import { describeResponse, type HttpResponse } from "../net/http.ts";
import type { IdentityContext } from "./context.ts";
import { requestWithRetry, isTransientAt, RETRY_MS } from "../net/retry-policy.ts";

/** The library signs for this endpoint and asks it whatever the key file says. */
const TOKEN_ENDPOINT = "https://oauth2.googleapis.com/token";
const LIMITS = { connectMs: 10_000, totalMs: 15_000, maxBytes: 64 * 1024 } as const;

/** The library's way to the network, and what came of it last. */
export interface Door {
  readonly fetch: typeof globalThis.fetch;
  last: HttpResponse | undefined;
  /** Who was asked last; undefined while nobody was. */
  lastHost: string | undefined;
  /** Why a request was not sent at all. */
  refused: Failure | undefined;
}

/**
 * Opens the way to the network as the one function of the Fetch standard that google-auth-library takes: every request has
 * its times, a size limit, no redirects, pauses between attempts, and the run's deadline and proxies.
 *
 * @returns a door whose `fetch` throws TypeError when no answer came, as the standard has it, and Failure TOKEN_MALFORMED, which
 *   `refused` then holds too, for an endpoint without TLS
 */
export function openDoor(credentials: GoogleCredentials, context: IdentityContext): Door {
  const door: Door = {
    last: undefined,
    lastHost: undefined,
    refused: undefined,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const url = endpointFor(request.url, credentials);
      door.lastHost = url.host;
      if (!isSafe(url)) {
        door.refused = new Failure(
          "TOKEN_MALFORMED",
          `${credentials.path} names an endpoint on ${url.host} without TLS`,
        );
        throw door.refused;
      }
      const body = request.method === "GET" ? undefined : await request.text();
      // PUT is how an external account on EC2 opens its IMDSv2 session.
      const method = request.method === "GET" || request.method === "PUT" ? request.method : "POST";
      const headers = Object.fromEntries(request.headers);
      const question = { url, method, headers, body, ...LIMITS } as const;
      const answer = await requestWithRetry(
        question,
        url.host,
        { isTransient: isTransientAt(url), pausesMs: RETRY_MS },
        context,
      );
      door.last = answer;
      if (answer.kind === "fault") throw new TypeError(`${url.host}: ${describeResponse(answer)}`);
      return new Response(answer.body, {
        status: answer.status,
        headers: { "Content-Type": answer.headers["content-type"] ?? "application/json" },
      });
    },
  };
  return door;
}

function endpointFor(text: string, { json }: GoogleCredentials): URL {
  const named = json["token_uri"];
  return new URL(text === TOKEN_ENDPOINT && typeof named === "string" && URL.canParse(named) ? named : text);
}

/** Keys and tokens travel in the clear only within this machine (an external account's token may come from IMDS). */
function isSafe(url: URL): boolean {
  return url.protocol === "https:" || isLoopbackHost(url.hostname) || isLinkLocalHost(url.hostname);
}
