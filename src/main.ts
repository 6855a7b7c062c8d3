import { Failure } from "./base/failure.ts";
import { renderBug } from "./output/bug.ts";
import { EXIT_BUG, exitCodeOf, failedStatus } from "./output/exit-code.ts";
import { GLOBAL_DEFAULTS, type Invocation } from "./command-line/invocation.ts";
import { toInvocation } from "./command-line/to-invocation.ts";
import { openReporter, type ReportOptions } from "./output/report.ts";
import { check } from "./command/check.ts";
import { refresh } from "./command/refresh.ts";
import { VERSION } from "./version.ts";
import type { World } from "./base/world.ts";

/**
 * Reads the command line, runs the command and renders what failed; the only place that catches everything.
 *
 * Imports at the start only what a run with nothing due needs: the SDK and the lock each cost more than such a run.
 *
 * @returns the exit status
 */
export async function main(world: World): Promise<number> {
  let options: ReportOptions = GLOBAL_DEFAULTS;
  try {
    const invocation = toInvocation(world.argv);
    if (!("global" in invocation)) return await run(invocation, world);
    options = invocation.global;
    return await run(invocation, { ...world, timeoutMs: invocation.global.timeoutMs });
  } catch (error) {
    if (error instanceof Failure) {
      openReporter(world, options).error(error);
      return failedStatus(world.argv, exitCodeOf(error.code));
    }
    world.err.write(renderBug(error));
    return failedStatus(world.argv, EXIT_BUG);
  }
}

async function run(invocation: Invocation, world: World): Promise<number> {
  switch (invocation.kind) {
    case "help": {
      const { renderHelp } = await import("./command-line/help.ts");
      world.out.write(await renderHelp(invocation.command, world.out.columns));
      return 0;
    }
    case "version":
      world.out.write(`${VERSION}\n`);
      return 0;
    case "refresh":
      return refresh(invocation, world);
    case "check":
      return check(invocation, world);
    case "status":
      return (await import("./command/status.ts")).status(invocation, world);
    case "watch":
      return (await import("./command/watch.ts")).watch(invocation, world);
    case "doctor":
      return (await import("./command/doctor.ts")).doctor(invocation, world);
    case "schedule":
      return (await import("./command/schedule.ts")).schedule(invocation, world);
    case "trust-policy":
      return (await import("./command/trust-policy.ts")).trustPolicy(invocation, world);
    case "init":
      return (await import("./command/init.ts")).init(invocation, world);
    case "exec":
      return (await import("./command/exec.ts")).exec(invocation, world);
    case "credential-process":
      return (await import("./command/credential-process.ts")).credentialProcess(invocation, world);
    case "remove":
      return (await import("./command/remove.ts")).remove(invocation, world);
    case "completion":
    case "complete":
      return (await import("./command/completion.ts")).completion(invocation, world);
  }
}
