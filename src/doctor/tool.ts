import { Failure } from "../base/failure.ts";
import { runProgram } from "../base/program.ts";
import { type DoctorContext, TOOL_MS, within } from "./context.ts";

/** What one of the machine's own programs (`systemctl`, `crontab`) said. */
export type ToolAnswer =
  | { readonly kind: "answer"; readonly text: string }
  /** It is not there, or had nothing to say: no bus, no crontab. */
  | { readonly kind: "nothing" }
  /** It is there and did not answer in time. */
  | { readonly kind: "hung" };

/** Asks a program, for a short while. @throws INTERRUPTED, and TIMEOUT when the whole run's time is up */
export async function askTool(file: string, args: readonly string[], context: DoctorContext): Promise<ToolAnswer> {
  const { world, deadline, verbose } = context;
  try {
    return await within(context, TOOL_MS, async (own) => {
      const tool = { env: world.env, clock: world, deadline: own, cwd: "/", verbose };
      // Answers are read, times too: neither may follow the user's language or time zone.
      const end = await runProgram(file, args, tool, `'${file}' has not answered`, { LC_ALL: "C", TZ: "UTC" });
      return end.kind === "exit" && end.status === 0 ? { kind: "answer", text: end.stdout } : { kind: "nothing" };
    });
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "TIMEOUT" || deadline.signal.aborted) throw error;
    return { kind: "hung" };
  }
}
