import type { IdentitySource } from "../config/config.ts";
import type { Clock } from "../base/world.ts";
import type { IdentityContext } from "./context.ts";
import type { IdentityToken } from "../sts/identity-token.ts";

/**
 * Obtains and checks a token. Only the module of its source is loaded.
 *
 * @throws Failure IDENTITY_*, TOKEN_*, TIMEOUT or INTERRUPTED; each source's function says which
 */
export async function obtainIdentityToken(source: IdentitySource, context: IdentityContext): Promise<IdentityToken> {
  const token = await obtain(source, context);
  const aheadMs = token.clockAheadMs ?? clockBehindIssuer(token, context.clock);
  return aheadMs === undefined ? token : { ...token, clockAheadMs: aheadMs };
}

async function obtain(source: IdentitySource, context: IdentityContext): Promise<IdentityToken> {
  switch (source.kind) {
    case "gcp-metadata":
      return (await import("./gcp-metadata.ts")).tokenFromMetadata(source, context);
    case "gcp-adc":
      return (await import("./gcp-adc.ts")).tokenFromDefaultCredentials(source, context);
    case "gcloud":
      return (await import("./gcloud.ts")).tokenFromGcloud(source, context);
    case "file":
      return (await import("./token-file.ts")).readTokenFile(source, context);
    case "env":
      return (await import("./environment-variable.ts")).readTokenVariable(source, context);
    case "command":
      return (await import("./token-command.ts")).tokenFromCommand(source, context);
    case "url":
      return (await import("./token-url.ts")).tokenFromUrl(source, context);
    case "github-actions":
      return (await import("./github-actions.ts")).tokenFromGitHub(source, context);
    case "gitlab":
      return (await import("./environment-variable.ts")).tokenFromGitLab(source, context);
    case "azure":
      return (await import("./azure.ts")).tokenFromAzure(source, context);
    case "kubernetes":
      return (await import("./kubernetes.ts")).tokenFromKubernetes(source, context);
  }
}

/** A token issued in the future shows how far this clock is behind, at least; an old one shows nothing. */
function clockBehindIssuer({ claims }: IdentityToken, clock: Clock): number | undefined {
  const issued = claims.issuedAt?.getTime();
  const now = clock.now().getTime();
  return issued !== undefined && issued > now ? now - issued : undefined;
}

/** Sources with the same key issue the same token. */
export function identityKey(source: IdentitySource): string {
  return JSON.stringify(Object.entries(source).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** One token for all profiles of a run with the same identity and audience. */
export interface TokenCache {
  /** Obtains the token once. A failure is shared as well: a dead source is tried once, not once per profile. */
  readonly obtain: (source: IdentitySource) => Promise<IdentityToken>;
}

/** Starts an empty cache; make one for each run (`watch` makes one for each round: tokens expire). */
export function openTokenCache(context: IdentityContext): TokenCache {
  const tokens = new Map<string, Promise<IdentityToken>>();
  return {
    obtain: (source) => {
      const key = identityKey(source);
      const token = tokens.get(key) ?? obtainIdentityToken(source, context);
      tokens.set(key, token);
      return token;
    },
  };
}
