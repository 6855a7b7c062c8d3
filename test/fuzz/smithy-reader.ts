import { externalDataInterceptor, loadSharedConfigFiles } from "@smithy/shared-ini-file-loader";

/** What a reader finds: sections by name, each with its keys. */
export type Found = Readonly<Record<string, Readonly<Record<string, string | undefined>>>>;

const PATH = "/rolefresh-fuzz/credentials";
const NO_CONFIG = "/rolefresh-fuzz/config";

/**
 * Reads a credentials file with the AWS SDK for JavaScript v3's own loader, without the disk.
 *
 * @returns undefined when it takes no profile from the file at all: `parseIni` throws for these names, and
 * `loadSharedConfigFiles` makes of that an empty file.
 */
export async function readWithSmithy(bytes: Buffer): Promise<Found | undefined> {
  const text = bytes.toString("utf8");
  externalDataInterceptor.interceptFile(PATH, text);
  externalDataInterceptor.interceptFile(NO_CONFIG, "");
  const { credentialsFile } = await loadSharedConfigFiles({ filepath: PATH, configFilepath: NO_CONFIG });
  const isEmpty = Object.keys(credentialsFile).length === 0;
  return isEmpty && /\[(?:profile )?__proto__\]/.test(text) ? undefined : credentialsFile;
}

/**
 * The name under which the loader files a section (`prefixKeyRegex` of parseIni.ts): `profile x` becomes `profile.x`, and
 * another word with a blank behind it is no section to it (GRAMMAR 9).
 */
export function nameForSmithy(name: string): string | undefined {
  const [, prefix = "", , rest = ""] = /^([\w-]+)\s(["'])?([\w-@+.%:/]+)\2$/.exec(name) ?? [];
  if (rest === "") return name;
  return ["profile", "sso-session", "services"].includes(prefix) ? `${prefix}.${rest}` : undefined;
}
