import { access, constants } from "node:fs/promises";

import { proxyFor } from "../net/proxy.ts";
import type { Environment } from "../base/world.ts";
import { finding, type Finding } from "./finding.ts";

const NAMES = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);

/**
 * By which way STS is asked: through the proxy of `HTTPS_PROXY`, or directly (net/proxy.ts).
 *
 * @param findSts asked only where a proxy is set
 * @throws Failure ENDPOINT_REFUSED for a proxy that is none
 */
export async function proxyFindings(
  findSts: () => Promise<URL>,
  env: Environment,
  isStsReached: boolean,
): Promise<readonly Finding[]> {
  const set = NAMES.filter((name) => env[name]);
  if (set.length === 0) return [finding("proxy", "ok", "no proxy is set, STS is called directly")];
  const sts = await findSts();
  const proxy = proxyFor(sts, env);
  const level = isStsReached ? "ok" : "warning";
  if (proxy) {
    return [
      finding("proxy", level, `${sts.host} is asked through the proxy ${proxy.url.host}`, {
        hint: isStsReached ? undefined : `let the proxy open tunnels to ${sts.host}, or except it with NO_PROXY`,
      }),
    ];
  }
  const names = `${set.join(", ")} ${set.length > 1 ? "are" : "is"} set`;
  if (set.some((name) => name.toUpperCase() === "HTTPS_PROXY"))
    return [finding("proxy", "ok", `${names}, and ${sts.host} is excepted: it is asked directly`)];
  return [
    finding("proxy", level, `${names} and not used: STS is asked with https, for which HTTPS_PROXY counts`, {
      hint: isStsReached ? undefined : "export HTTPS_PROXY=http://HOST:PORT",
    }),
  ];
}

/** Where TLS to STS takes its trust from: AWS_CA_BUNDLE alone, else Node's own list and NODE_EXTRA_CA_CERTS. */
export async function caFindings(env: Environment): Promise<readonly Finding[]> {
  if (env["NODE_TLS_REJECT_UNAUTHORIZED"] === "0")
    return [
      finding("ca", "warning", "NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always verified", {
        hint: "unset it; name a private CA with AWS_CA_BUNDLE=/path/ca.pem",
      }),
      ...(await trustFindings(env)),
    ];
  return trustFindings(env);
}

async function trustFindings(env: Environment): Promise<readonly Finding[]> {
  const extra = env["NODE_EXTRA_CA_CERTS"];
  const bundle = env["AWS_CA_BUNDLE"];
  if (bundle) {
    if (await canRead(bundle))
      return [finding("ca", "ok", `the certificates of AWS_CA_BUNDLE ${bundle} are trusted, and no others`)];
    return [
      finding("ca", "error", `AWS_CA_BUNDLE names ${bundle}, which cannot be read: no TLS will do`, {
        hint: `ls -l ${bundle}`,
      }),
    ];
  }
  if (!extra) return [finding("ca", "ok", "Node's own certificate authorities are trusted, and no others")];
  if (await canRead(extra)) return [finding("ca", "ok", `NODE_EXTRA_CA_CERTS adds the certificates of ${extra}`)];
  return [
    finding("ca", "warning", `NODE_EXTRA_CA_CERTS names ${extra}, which cannot be read, so Node goes without it`, {
      hint: `ls -l ${extra}`,
    }),
  ];
}

async function canRead(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
