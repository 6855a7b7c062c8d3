import type { Deadline } from "../../base/deadline.ts";
import { Failure } from "../../base/failure.ts";
import type { ProfileSpec } from "../../config/config.ts";
import { type Lease, tryFlight } from "../../credentials-file/lock.ts";
import type { World } from "../../world.ts";
import type { CredentialsView } from "./credentials-view.ts";

/** What a flight needs: the lock of a profile that is held across the network call. */
export interface FlightOptions {
  readonly world: World;
  readonly deadline: Deadline;
  /** Called once, when another process turns out to be at it. */
  readonly onWait: () => void;
  /** Whether the profile needs nothing any more, judged by the view's newest reading. */
  readonly fresh: () => boolean;
}

/**
 * Takes the profile's flight: any number of processes make one STS call, the others wait, look again and find it fresh.
 *
 * @returns the lease, or undefined when the profile needs nothing any more
 * @throws Failure FILE_BUSY when the other process is not done by the deadline
 */
export async function takeFlight(
  spec: ProfileSpec,
  view: CredentialsView,
  options: FlightOptions,
): Promise<Lease | undefined> {
  const { world, deadline } = options;
  const { file } = view;
  if (!file) throw new Error(`${spec.credentialsFile} was not resolved`);
  for (let attempt = 0; ; attempt++) {
    const lease = await tryFlight(file, spec.profile);
    if (await isFreshNow(view, options, lease)) {
      await lease?.release();
      return undefined;
    }
    if (lease) return lease;
    if (attempt === 0) options.onWait();
    try {
      await world.sleep(Math.min(50 * 1.3 ** attempt, 250) * (0.5 + world.random()), deadline.signal);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "TIMEOUT") throw error;
      throw new Failure(
        "FILE_BUSY",
        `profile '${spec.profile}': another rolefresh has been refreshing it for the whole --timeout`,
        {
          hint: "it may hang: look for it with 'pgrep -af rolefresh'",
          cause: error,
        },
      );
    }
  }
}

/** Another step of this run may have read the change already: what counts is the newest reading, not whether this is it. */
async function isFreshNow(view: CredentialsView, options: FlightOptions, lease: Lease | undefined): Promise<boolean> {
  try {
    await view.lookAgain();
    return options.fresh();
  } catch (error) {
    await lease?.release();
    throw error;
  }
}
