import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** A request whose body has arrived. */
export interface ReceivedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export interface LoopbackServer {
  readonly port: number;
  /** Stops listening and cuts every connection: callers get ECONNREFUSED. */
  readonly pause: () => Promise<void>;
  /** Listens again, on the same port. */
  readonly resume: () => Promise<void>;
}

/** STS takes no more in one POST. */
const BODY_LIMIT = 10_000_000;

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_LIMIT) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * An HTTP server on 127.0.0.1.
 *
 * @param port 0 for a free one.
 * @param handle answers, or leaves the response alone. What it throws ends as a 500 with the stack: a bug of the sandbox.
 */
export async function startLoopbackServer(
  port: number,
  handle: (request: ReceivedRequest, response: ServerResponse) => Promise<void>,
): Promise<LoopbackServer> {
  const sockets = new Set<Socket>();
  const server = createServer({ keepAlive: true }, (request, response) => {
    void (async () => {
      try {
        const body = await readBody(request);
        if (body === undefined) response.writeHead(413).end();
        else
          await handle(
            { method: request.method ?? "", target: request.url ?? "", headers: request.headers, body },
            response,
          );
      } catch (error) {
        // A client that goes away in the middle is no news.
        if (request.errored !== null || response.destroyed) return;
        if (!response.headersSent) response.writeHead(500, { "Content-Type": "text/plain" });
        response.end(error instanceof Error ? error.stack : String(error));
      }
    })();
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });

  const listen = (wanted: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(wanted, "127.0.0.1", () => {
        server.off("error", reject);
        resolve();
      });
    });
  await listen(port);
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no TCP address");
  return {
    port: address.port,
    pause: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
    resume: () => listen(address.port),
  };
}
