import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";

/**
 * A server that answers a first connection only after its SYN was sent again, a second later (RFC 6298 2.1), as if it were far
 * away: its process is stopped and its queue of connections full, so that the kernel drops what comes (listen(2), backlog).
 */
export interface SlowListener extends AsyncDisposable {
  readonly port: number;
  /** Resolves when a SYN of the test's has been dropped, and lets the server answer from then on. */
  answerAfterFirstSyn(): Promise<void>;
}

/** Why there can be none here, or false: for `skip`. */
export function whyNoSlowListener(): string | false {
  return existsSync("/proc/net/tcp") ? false : "needs Linux: /proc/net/tcp tells when a SYN was sent";
}

/** Refuses every CONNECT with 403, answers everything else with `ok`. */
const SERVER = `
const answer = (text) => "HTTP/1.1 " + text + "\\r\\nConnection: close\\r\\n\\r\\n";
require("net").createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", (data) => socket.end(String(data).startsWith("CONNECT")
    ? answer("403 Forbidden\\r\\nContent-Length: 0")
    : answer("200 OK\\r\\nContent-Length: 2") + "ok"));
}).listen({ port: 0, host: process.argv[1], backlog: 1 }, function () { console.log(this.address().port); });
`;

export async function startSlowListener(host: string): Promise<SlowListener> {
  const child = spawn(process.execPath, ["-e", SERVER, host], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(line.toString());
  child.kill("SIGSTOP");
  while (!/^\d+ \(.*\) T/.test(readFileSync(`/proc/${child.pid}/stat`, "utf8"))) await turn();
  const fillers: Socket[] = [];
  while (waiting(port) === 0) {
    const socket = connect(port, host);
    socket.on("error", () => undefined);
    fillers.push(socket);
    for (const before = attempts(port); attempts(port) === before;) await turn();
  }
  return {
    port,
    async answerAfterFirstSyn() {
      while (waiting(port) < 2) await turn();
      for (const socket of fillers) socket.destroy();
      child.kill("SIGCONT");
    },
    async [Symbol.asyncDispose]() {
      for (const socket of fillers) socket.destroy();
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Connections to the port whose SYN has no answer yet (state 02, proc_net_tcp in the kernel's documentation). */
const waiting = (port: number): number => statesOf(port).filter((state) => state === "02").length;

/** Connections to the port from the client's side, in any state. */
const attempts = (port: number): number => statesOf(port).length;

function statesOf(port: number): readonly string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return readFileSync("/proc/net/tcp", "latin1")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote]) => remote?.endsWith(`:${hex}`) === true)
    .map(([, , , state]) => state ?? "");
}
