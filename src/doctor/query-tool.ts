import { Failure } from "../base/failure.ts";
import { runProgram } from "../base/program.ts";
import { type DoctorContext, TOOL_MS, within } from "./context.ts";

/** What one of the machine's own programs (`systemctl`, `crontab`) printed. */
type ToolReply =
  | { readonly kind: "output"; readonly text: string }
  /** The program is not installed, or failed: no bus, no crontab. */
  | { readonly kind: "none" }
  | { readonly kind: "timeout" };

/** Runs a program, for a short while. @throws INTERRUPTED, and TIMEOUT when the whole run's time is up */
export async function queryTool(file: string, args: readonly string[], context: DoctorContext): Promise<ToolReply> {
  const { world, deadline } = context;
  try {
    return await within(context, TOOL_MS, async (own) => {
      // The output is parsed, times too: neither may follow the user's language or time zone.
      const program = { file, args, name: `'${file}'`, env: { LC_ALL: "C", TZ: "UTC" } };
      const { env, killGroup } = world;
      const end = await runProgram(program, { env, cwd: "/", deadline: own, killGroup });
      return end.kind === "exit" && end.status === 0
        ? { kind: "output", text: end.stdout.toString() }
        : { kind: "none" };
    });
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "TIMEOUT" || deadline.signal.aborted) throw error;
    return { kind: "timeout" };
  }
}
