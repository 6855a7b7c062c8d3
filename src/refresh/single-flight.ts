import type { Deadline } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import type { ProfileSpec } from "../config/config.ts";
import { type Lease, tryFlight } from "../safe-file/lock.ts";
import type { World } from "../base/world.ts";
import type { CredentialsView } from "./credentials-view.ts";

/**
 * Tries once to take the profile's flight, the lock that is held across the network call: any number of processes make
 * one STS call, the others wait, look again and find it fresh.
 *
 * @param isFresh whether the profile needs nothing any more, judged by the view's newest reading
 * @returns the lease, `busy` while another process has it, or `fresh` when the profile needs nothing any more
 * @throws Failure FILE_CANNOT_CREATE, and what `isFresh` throws
 */
export async function takeFlight(
  spec: ProfileSpec,
  view: CredentialsView,
  isFresh: () => boolean,
  deadline: Deadline,
): Promise<Lease | "busy" | "fresh"> {
  const { file } = view;
  if (!file) throw new Error(`${spec.credentialsFile} was not resolved`);
  const lease = await tryFlight(file, spec.profile, deadline.signal);
  try {
    // Another step of this run may have read the change already: the newest reading counts, whoever made it.
    await view.lookAgain();
    if (!isFresh()) return lease ?? "busy";
  } catch (error) {
    await lease?.release();
    throw error;
  }
  await lease?.release();
  return "fresh";
}

/**
 * The pause before the flight of another process is tried again; a quarter of a second at most.
 *
 * @param attempt how often it was tried before, from 0
 * @throws Failure FILE_BUSY at the deadline; INTERRUPTED
 */
export async function waitForFlight(
  spec: ProfileSpec,
  attempt: number,
  world: World,
  deadline: Deadline,
): Promise<void> {
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
