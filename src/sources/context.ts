import type { Environment } from "../base/world.ts";
import type { NetContext } from "../net/retry-policy.ts";

/** What the identity sources need of the run. */
export interface IdentityContext extends NetContext {
  readonly env: Environment;
  readonly cwd: string | undefined;
  /** The effective user id; undefined where files have no owners. */
  readonly uid: number | undefined;
  /** The user's home directory, where gcloud keeps its credentials. */
  readonly home: string | undefined;
}
