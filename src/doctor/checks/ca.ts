import { access, constants } from "node:fs/promises";

import type { Environment } from "../../base/world.ts";
import { shellWord } from "../../base/shell-word.ts";
import type { Evidence } from "../evidence.ts";
import { finding, type Finding } from "../finding.ts";

/** Which certificate authorities TLS to STS trusts: AWS_CA_BUNDLE alone, else Node's own list and NODE_EXTRA_CA_CERTS. */
export async function caFindings({ context }: Evidence): Promise<readonly Finding[]> {
  const { env } = context.world;
  const trust = await trustFinding(env);
  if (env["NODE_TLS_REJECT_UNAUTHORIZED"] !== "0") return [trust];
  return [
    finding("warning", "NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always verified", {
      hint: "unset it; name a private CA with AWS_CA_BUNDLE=/path/ca.pem",
    }),
    trust,
  ];
}

async function trustFinding(env: Environment): Promise<Finding> {
  const { AWS_CA_BUNDLE: bundle, NODE_EXTRA_CA_CERTS: extra } = env;
  const file = bundle || extra;
  if (!file) return finding("ok", "only Node's own certificate authorities are trusted");
  const about = { hint: `ls -l ${shellWord(file)}` };
  const isReadable = await canRead(file);
  if (bundle)
    return isReadable
      ? finding("ok", `only the certificates of AWS_CA_BUNDLE ${file} are trusted`)
      : finding("error", `AWS_CA_BUNDLE names ${file}, which cannot be read: every TLS connection fails`, about);
  return isReadable
    ? finding("ok", `NODE_EXTRA_CA_CERTS adds the certificates of ${file}`)
    : finding("warning", `NODE_EXTRA_CA_CERTS names ${file}, which cannot be read, so Node ignores it`, about);
}

async function canRead(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}
