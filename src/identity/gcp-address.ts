import { Failure } from "../base/failure.ts";
import { readFileSafely } from "../safe-file/read-file.ts";
import type { Environment } from "../world.ts";

/** Where the metadata server is asked, and whether somebody named it. */
export interface MetadataAddress {
  /** `http://169.254.169.254` and no path. */
  readonly base: URL;
  /** The variable that named it; undefined for Google's own address. */
  readonly namedBy: "GCE_METADATA_IP" | "GCE_METADATA_HOST" | undefined;
}

/**
 * The metadata server's address as Google's gcp-metadata library finds it (src/index.ts `getBaseUrl`): `GCE_METADATA_IP`,
 * else `GCE_METADATA_HOST`, each a host or host:port with an optional scheme, else 169.254.169.254. The number and not
 * `metadata.google.internal`, because containers often have a resolver that does not know the name.
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
    const text = /^https?:\/\//.test(named) ? named : `http://${named}`;
    const base = URL.canParse(text) ? new URL(text) : undefined;
    if (base === undefined || base.username !== "" || base.pathname !== "/" || base.search !== "") {
      throw new Failure("IDENTITY_UNAVAILABLE", `${namedBy} is not a host or host:port`);
    }
    return { base, namedBy };
  }
  return { base: new URL("http://169.254.169.254"), namedBy: undefined };
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
