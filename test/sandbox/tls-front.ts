import { connect, type Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";

/** TLS in front of a loopback server that speaks plain http: what comes in is passed on as it is. */
export interface TlsFront extends AsyncDisposable {
  readonly port: number;
  /** The host names that clients asked for (SNI), in order. */
  readonly names: readonly string[];
  /** TLS connections so far. */
  readonly connections: () => number;
}

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export async function startTlsFront(certificate: Certificate, targetPort: number): Promise<TlsFront> {
  const names: string[] = [];
  const sockets = new Set<Socket>();
  let count = 0;
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  };
  const server = createServer({ ...certificate, ALPNProtocols: ["http/1.1"] }, (client: TLSSocket) => {
    count += 1;
    names.push(String((client as { servername?: unknown }).servername));
    const upstream = connect(targetPort, "127.0.0.1");
    track(client);
    track(upstream);
    client.pipe(upstream).pipe(client);
    client.once("close", () => upstream.destroy());
    upstream.once("close", () => client.destroy());
  });
  // A client that does not trust the certificate ends the handshake.
  server.on("tlsClientError", () => undefined);
  server.on("connection", track);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no TCP address");
  return {
    port: address.port,
    names,
    connections: () => count,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
