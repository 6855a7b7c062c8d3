import type { Deadline } from "../base/deadline.ts";
import type { Clock } from "../base/world.ts";
import type { Outbound } from "./outbound.ts";

/** What a request needs of the run. */
export interface NetContext {
  readonly clock: Clock;
  readonly deadline: Deadline;
  /** The run's connections: proxies and certificates as configured; absent: every server is asked directly. */
  readonly outbound?: Outbound;
  /** Hears that a request has left: the time for what does not need its answer. */
  readonly onSent?: () => void;
  /** Takes a line for `--verbose`; it never holds a token. */
  readonly verbose: (line: string) => void;
}
