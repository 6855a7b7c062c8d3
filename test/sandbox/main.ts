import { parseArgs } from "node:util";
import { parseFault } from "./fault.ts";
import { startSandbox } from "./sandbox.ts";

/**
 * Runs the sandbox in the foreground: prints `export NAME=value` lines and then `ready`, ends on SIGTERM or SIGINT.
 *
 *     node build/test/sandbox/main.js --latency 50 --fault sts:status:503 --fault metadata:hang
 */

const { values } = parseArgs({
  options: {
    "port-sts": { type: "string", default: "0" },
    "port-metadata": { type: "string", default: "0" },
    latency: { type: "string" },
    fault: { type: "string", multiple: true, default: [] },
  },
});

const faults = values.fault.map((text) => {
  const [target = "", ...rest] = text.split(":");
  const fault = parseFault(rest.join(":"));
  if ((target !== "sts" && target !== "metadata") || fault === undefined) {
    throw new TypeError(`--fault takes sts:FAULT or metadata:FAULT, not ${text}`);
  }
  return { target, fault } as const;
});

const sandbox = await startSandbox({
  stsPort: Number(values["port-sts"]),
  metadataPort: Number(values["port-metadata"]),
  ...(values.latency === undefined ? {} : { latencyMs: Number(values.latency) }),
});
for (const { target, fault } of faults) sandbox.misbehave(target, fault);

const stop = (): void => void sandbox.stop();
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
for (const [name, value] of Object.entries(sandbox.env)) console.log(`export ${name}=${value}`);
console.log("ready");
