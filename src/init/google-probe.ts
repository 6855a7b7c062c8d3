import { Failure } from "../base/failure.ts";
import { askEither, metadataAddress, type MetadataAddress } from "../sources/gcp-address.ts";
import { request } from "../net/http.ts";
import { printable } from "../base/printable.ts";
import type { Environment } from "../base/world.ts";

/** A machine on Google Cloud answers in milliseconds; elsewhere nobody should wait for a route that leads nowhere. */
const PROBE_MS = 1000;

/**
 * Who answered at the metadata server's address: Google with a service account, Google without one, or somebody else.
 */
export type GoogleAnswer =
  | { readonly kind: "account"; readonly email: string }
  | { readonly kind: "no-account" }
  | { readonly kind: "nobody" };

/**
 * Asks the metadata server once, for at most a second, which service account is attached. Whatever lacks
 * `Metadata-Flavor: Google` is somebody else at the same address (EC2, Azure).
 *
 * @throws the signal's reason when it is aborted
 */
export async function askGoogle(env: Environment, signal: AbortSignal): Promise<GoogleAnswer> {
  const address = addressOf(env);
  if (address === undefined) return { kind: "nobody" };
  const { answer } = await askEither(
    address,
    (base, either, headStartMs) =>
      request({
        url: new URL("/computeMetadata/v1/instance/service-accounts/default/email", base),
        headers: { "Metadata-Flavor": "Google" },
        connectMs: PROBE_MS - headStartMs,
        totalMs: PROBE_MS - headStartMs,
        maxBytes: 4096,
        signal: either,
      }),
    signal,
  );
  if (answer.kind === "fault" || answer.headers["metadata-flavor"] !== "Google") return { kind: "nobody" };
  if (answer.status === 404) return { kind: "no-account" };
  return answer.status === 200 ? { kind: "account", email: printable(answer.body) } : { kind: "nobody" };
}

function addressOf(env: Environment): MetadataAddress | undefined {
  try {
    return metadataAddress(env);
  } catch (error) {
    // Forbidden by METADATA_SERVER_DETECTION=none, or an address that is none: then it is not Google for us.
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
