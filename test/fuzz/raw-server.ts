import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/** A loopback server that answers each request with the bytes that are to hand, good HTTP or not. */
export interface RawServer extends AsyncDisposable {
  readonly port: number;
  /** What the next requests are answered with. */
  answerWith(bytes: Buffer): void;
}

export async function startRawServer(): Promise<RawServer> {
  let answer = Buffer.alloc(0);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      const [head, body = ""] = received.split("\r\n\r\n", 2);
      if (!received.includes("\r\n\r\n")) return;
      const length = Number(/^content-length: *(\d+)/im.exec(head ?? "")?.[1] ?? 0);
      if (body.length < length) return;
      received = "";
      socket.end(answer);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no TCP address");
  return {
    port: address.port,
    answerWith: (bytes) => {
      answer = Buffer.from(bytes);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
