import type { ProgramContext } from "../base/program.ts";
import type { NetContext } from "../net/retry-policy.ts";

/** What the identity sources need of the run. */
export interface IdentityContext extends NetContext, ProgramContext {
  /** The effective user id; undefined where files have no owners. */
  readonly uid: number | undefined;
  /** The user's home directory, where gcloud keeps its credentials. */
  readonly home: string | undefined;
}
