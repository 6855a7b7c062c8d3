import { isIPv6 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { Failure } from "../base/failure.ts";
import { readFileSafely } from "../safe-file/read-file.ts";
import type { HttpResponse } from "../net/http.ts";
import type { Environment } from "../base/world.ts";

/** Where the metadata server is asked, and what named it. */
export interface MetadataAddress {
  /** `http://169.254.169.254` and no path. */
  readonly base: URL;
  /** The server's name, for machines that have no way to the address; undefined where a variable named one. */
  readonly byName: URL | undefined;
  /** The variable that named it; undefined for Google's own address. */
  readonly namedBy: "GCE_METADATA_IP" | "GCE_METADATA_HOST" | undefined;
}

/**
 * The metadata server's address as Google's gcp-metadata library finds it (src/index.ts, `getBaseUrl` and `isAvailable`):
 * `GCE_METADATA_IP`, else `GCE_METADATA_HOST`, each a host or host:port with an optional scheme; else 169.254.169.254, because
 * containers often have a resolver that does not know the name, and `metadata.google.internal`, which on a machine with IPv6
 * alone leads to fd20:ce::254 (https://cloud.google.com/compute/docs/metadata/querying-metadata).
 *
 * @throws Failure IDENTITY_UNAVAILABLE when the variable holds no host, or when `METADATA_SERVER_DETECTION=none` forbids
 *   asking (the same library's word for "don't try to use it").
 */
export function metadataAddress(env: Environment): MetadataAddress {
  if (env["METADATA_SERVER_DETECTION"]?.trim().toLowerCase() === "none") {
    throw new Failure("IDENTITY_UNAVAILABLE", "METADATA_SERVER_DETECTION=none forbids asking the metadata server");
  }
  for (const namedBy of ["GCE_METADATA_IP", "GCE_METADATA_HOST"] as const) {
    const named = env[namedBy]?.trim();
    if (named === undefined || named === "") continue;
    const host = isIPv6(named) ? `[${named}]` : named;
    const text = /^https?:\/\//.test(host) ? host : `http://${host}`;
    const base = URL.canParse(text) ? new URL(text) : undefined;
    if (base === undefined || base.username !== "" || base.pathname !== "/" || base.search !== "") {
      throw new Failure("IDENTITY_UNAVAILABLE", `${namedBy} is not a host or host:port`, {
        hint: `write it as HOST, HOST:PORT or an IP address: ${namedBy}=metadata.google.internal`,
      });
    }
    return { base, byName: undefined, namedBy };
  }
  const byName = new URL("http://metadata.google.internal");
  return { base: new URL("http://169.254.169.254"), byName, namedBy: undefined };
}

/** How long the address is asked alone: where Google's server is, it connects in milliseconds. */
const HEAD_START_MS = 300;

/**
 * Asks at the address, and by name as well as soon as the address has failed or kept silent for a moment. The first answer
 * counts; where there is none, what came of the address.
 *
 * @param askAt ends with its signal. By name it must not take longer than `HEAD_START_MS` less than at the address.
 * @returns the answer, and where it is from
 */
export async function askEither(
  { base, byName }: MetadataAddress,
  askAt: (at: URL, signal: AbortSignal, headStartMs: number) => Promise<HttpResponse>,
  signal: AbortSignal,
): Promise<{ readonly answer: HttpResponse; readonly at: URL }> {
  if (byName === undefined) return { answer: await askAt(base, signal, 0), at: base };
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const first = askAt(base, either, 0);
  const attempt = async (at: URL, asked: Promise<HttpResponse>) => {
    const answer = await asked;
    if (answer.kind === "fault") throw new Error("no answer");
    return { answer, at };
  };
  try {
    const early = await Promise.race([first, afterHeadStart(either)]);
    if (early?.kind === "response") return { answer: early, at: base };
    return await Promise.any([attempt(base, first), attempt(byName, askAt(byName, either, HEAD_START_MS))]);
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error;
    return { answer: await first, at: base };
  } finally {
    over.abort(new Error("the other one has answered"));
  }
}

async function afterHeadStart(signal: AbortSignal): Promise<undefined> {
  return sleep(HEAD_START_MS, undefined, { signal }).catch(() => undefined);
}

/**
 * Whether this machine shows signs of being on Google Cloud: the variables of Cloud Run and Functions, or Google's BIOS
 * (gcp-metadata's src/gcp-residency.ts). Only then may a silent metadata server be called slow instead of absent.
 *
 * @param biosVendorFile another file in tests.
 */
export async function showsGoogleCloud(
  env: Environment,
  biosVendorFile = "/sys/class/dmi/id/bios_vendor",
): Promise<boolean> {
  if (["K_SERVICE", "CLOUD_RUN_JOB", "FUNCTION_NAME"].some((name) => (env[name] ?? "") !== "")) return true;
  const read = await readFileSafely({ path: biosVendorFile, maxBytes: 4096, trust: "data", uid: undefined });
  // No DMI (containers, other systems) is no sign, and no error either.
  return read.kind === "read" && read.bytes.includes("Google");
}
