import { access, lstat } from "node:fs/promises";
import { join } from "node:path";
import { homeOf } from "../base/expand-path.ts";
import { errnoOf } from "../base/failure.ts";
import type { World } from "../base/world.ts";
import { managedFileState } from "./managed-file.ts";
import { SERVICE_NAME, TIMER_NAME, UNIT_MARK } from "./systemd-unit.ts";

/** What is installed, by the files: without a bus it works from cron, in a container and for another user. */
export type SystemdState =
  | { readonly kind: "absent" }
  | { readonly kind: "installed" }
  /** `problem`: what is missing, as a sentence. */
  | { readonly kind: "half"; readonly problem: string };

/** Where the units of a user's or of the system's manager go (systemd.unit(5), "Unit File Load Path"). */
export function unitDirectory(scope: "user" | "system", world: Pick<World, "env" | "home">): string {
  if (scope === "system") return "/etc/systemd/system";
  const config = world.env["XDG_CONFIG_HOME"];
  return join(
    config !== undefined && config.startsWith("/") ? config : join(homeOf(world), ".config"),
    "systemd",
    "user",
  );
}

/** The link that `systemctl enable` makes for `WantedBy=timers.target`. */
export function enablingLink(directory: string): string {
  return join(directory, "timers.target.wants", TIMER_NAME);
}

/** Whether the user's manager runs without the user being logged in (loginctl(1), `enable-linger`). */
export async function lingers(user: string): Promise<boolean> {
  return access(join("/var/lib/systemd/linger", user)).then(
    () => true,
    () => false,
  );
}

/** @throws Failure SCHEDULER_DENIED, SCHEDULE_WRITE_FAILED when the directory cannot be read */
export async function systemdState(directory: string): Promise<SystemdState> {
  const service = await managedFileState(join(directory, SERVICE_NAME), UNIT_MARK);
  const timer = await managedFileState(join(directory, TIMER_NAME), UNIT_MARK);
  const enabled = await isThere(enablingLink(directory));
  if (service !== "ours" && timer !== "ours" && !enabled) return { kind: "absent" };
  if (service === "absent") return half(`${join(directory, SERVICE_NAME)} is missing, so the timer starts nothing`);
  if (timer === "absent") return half(`${join(directory, TIMER_NAME)} is missing, so nothing starts the service`);
  if (!enabled) return half(`${TIMER_NAME} in ${directory} is not enabled, so it does not run after the next boot`);
  return { kind: "installed" };
}

function half(problem: string): SystemdState {
  return { kind: "half", problem };
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}
