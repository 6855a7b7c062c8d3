import { access, constants } from "node:fs/promises";

import type { Environment } from "../world.ts";
import { finding, type Finding, type Level } from "./finding.ts";

/**
 * Proxy variables: none of them is used, neither for STS (the SDK's request handler takes an agent, and ours has none for a
 * proxy) nor for the metadata server. That matters only where STS cannot be reached without one.
 */
export function proxyFindings(env: Environment, isStsReached: boolean): readonly Finding[] {
  const set = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"]
    .flatMap((name) => [name, name.toLowerCase()])
    .filter((name) => env[name]);
  if (set.length === 0) return [finding("proxy", "ok", "no proxy is set, STS is called directly")];
  const exceptions = env["NO_PROXY"] || env["no_proxy"] ? " (NO_PROXY makes no difference)" : "";
  const message = `${set.join(", ")} ${set.length > 1 ? "are" : "is"} set and not used: the SDK ignores proxy variables${exceptions}`;
  if (isStsReached) return [finding("proxy", "ok", `${message}; STS is reached without a proxy`)];
  return [
    finding("proxy", "warning", `${message}; STS is not reached without a proxy`, {
      hint: "let this machine reach the STS endpoint directly, through a VPC endpoint or a transparent proxy",
    }),
  ];
}

/** Where TLS to STS takes its trust from: Node's own list and NODE_EXTRA_CA_CERTS (https://nodejs.org/api/cli.html). */
export async function caFindings(env: Environment, isStsReached: boolean): Promise<readonly Finding[]> {
  const extra = env["NODE_EXTRA_CA_CERTS"];
  const bundle = env["AWS_CA_BUNDLE"];
  const unreached: Level = isStsReached ? "ok" : "warning";
  if (extra) {
    if (await canRead(extra)) return [finding("ca", "ok", `NODE_EXTRA_CA_CERTS adds the certificates of ${extra}`)];
    return [
      finding("ca", "warning", `NODE_EXTRA_CA_CERTS names ${extra}, which cannot be read, so Node goes without it`, {
        hint: `ls -l ${extra}`,
      }),
    ];
  }
  if (bundle)
    return [
      finding("ca", unreached, "AWS_CA_BUNDLE is set and not used: Node reads NODE_EXTRA_CA_CERTS alone", {
        hint: `export NODE_EXTRA_CA_CERTS=${bundle}`,
      }),
    ];
  return [finding("ca", "ok", "Node's own certificate authorities are trusted, and no others")];
}

async function canRead(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
