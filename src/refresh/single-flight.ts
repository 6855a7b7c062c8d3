import type { Deadline } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import type { World } from "../base/world.ts";
import type { ProfileSpec } from "../config/config.ts";
import { classifyProfile, isDue, type ProfileState, type WrittenProfile } from "../plan/profile-state.ts";
import { type Lease, tryFlight } from "../safe-file/lock.ts";
import type { CredentialsView } from "./credentials-view.ts";

/**
 * Tries once to acquire the per-profile single-flight lock, which is held across the network call: any number of
 * processes make one STS call; the others wait, look again and find the profile fresh.
 *
 * @returns the lease, `busy` while another process holds it, or `fresh` when nothing is due any more (never with `force`)
 * @throws Failure FILE_CANNOT_CREATE, and the view's refusal of the profile
 */
export async function acquireSingleFlight(
  spec: ProfileSpec,
  view: CredentialsView,
  { world, deadline, force }: { readonly world: World; readonly deadline: Deadline; readonly force: boolean },
): Promise<Lease | "busy" | "fresh"> {
  const { file } = view;
  if (!file) throw new Error(`${spec.credentialsFile} was not resolved`);
  const lease = await tryFlight(file, spec.profile, deadline.signal);
  try {
    // Another step of this run may have read the change already.
    await view.lookAgain();
    if (force) return lease ?? "busy";
    const refusal = view.refusalOf(spec.profile);
    if (refusal) throw refusal;
    if (isDueNow(spec, view.written(spec.profile), world)) return lease ?? "busy";
  } catch (error) {
    await lease?.release();
    throw error;
  }
  await lease?.release();
  return "fresh";
}

/** The state of a profile by what its file holds now. */
export function stateNow(spec: ProfileSpec, written: WrittenProfile | undefined, world: World): ProfileState {
  return classifyProfile(spec, written, world.now(), world.hostname);
}

/** Whether a refresh still has something to write. A foreign section is left to the write, which refuses it. */
export function isDueNow(spec: ProfileSpec, written: WrittenProfile | undefined, world: World): boolean {
  const state = stateNow(spec, written, world);
  return isDue(state) || state.state === "foreign";
}

/**
 * Waits before the next attempt to acquire the lock; about a quarter of a second at most.
 *
 * @param attempt attempts so far, from 0
 * @throws Failure FILE_BUSY at the deadline; INTERRUPTED
 */
export async function waitForSingleFlight(
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
      { hint: "check whether it hangs: pgrep -af rolefresh", cause: error },
    );
  }
}
