import { execFile } from "node:child_process";
import { connect, createServer } from "node:net";

import { startSandbox } from "../sandbox/sandbox.ts";

/*
 * Runs a program on a Google VM that has IPv6 alone, and prints how it ended: `node ipv6-only-machine.js PROGRAM ARG…`, within
 * a network namespace that has fd20:ce::254 on its loopback and a hosts file that leads metadata.google.internal there.
 */

const [file = "", ...args] = process.argv.slice(2);
const sandbox = await startSandbox();
const port = Number(sandbox.metadataHost.split(":")[1]);
const metadata = createServer((client) => {
  const server = connect(port, "127.0.0.1");
  client.pipe(server).pipe(client);
  client.on("error", () => server.destroy());
  server.on("error", () => client.destroy());
});
await new Promise<void>((resolve) => metadata.listen(80, "fd20:ce::254", resolve));
const { GCE_METADATA_HOST: _, ...env } = sandbox.env;
const whole = { ...env, ...process.env, HTTP_PROXY: "http://127.0.0.1:1" };
execFile(file, args, { env: whole }, (error, stdout, stderr) => {
  process.stdout.write(JSON.stringify({ code: error === null ? 0 : error.code, stdout, stderr }));
  metadata.close();
  void sandbox.stop();
});
