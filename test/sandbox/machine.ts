import type { Reply } from "./reply.ts";

/** The machine that the metadata server describes. */

export interface SandboxServiceAccount {
  readonly email: string;
  /** 21 digits: the `sub` and `azp` of its tokens. */
  readonly uniqueId: string;
}

export interface Machine {
  readonly now: () => Date;
  readonly platform: "gce" | "gke" | "cloud-run";
  readonly project: string;
  readonly projectNumber: number;
  /** `NAME.c.PROJECT.internal`; undefined where there is no instance. */
  readonly hostname: string | undefined;
  readonly zone: string;
  readonly instanceId: string;
  /** The first is `default`. */
  readonly serviceAccounts: readonly SandboxServiceAccount[];
}

/** An answer before the headers that all answers have. */
export type MetadataAnswer = Pick<Reply, "status" | "body"> & { readonly type?: string };

export const answerText = (body: string, status = 200): MetadataAnswer => ({ status, body });

/** The kind of page that Google's servers show. */
export function errorPage(status: number, title: string): MetadataAnswer {
  const body = `<!DOCTYPE html>
<html lang=en>
  <meta charset=utf-8>
  <title>Error ${status} (${title})!!1</title>
  <p><b>${status}.</b> <ins>That’s an error.</ins>
</html>
`;
  return { status, body, type: "text/html; charset=UTF-8" };
}
