import { createServer } from "node:http";
import { connect, type Socket } from "node:net";

/** A CONNECT proxy on loopback (RFC 9110 9.3.6), as companies have it between their machines and AWS. */
export interface ConnectProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  /** What was asked for, in order: `sts.eu-central-1.amazonaws.com:443`. */
  readonly targets: readonly string[];
  /** Requests that were no CONNECT: nothing may be sent through it in the clear. */
  readonly plain: readonly string[];
  /** How it behaves from now on; undefined: well. */
  misbehave(fault: ProxyFault | undefined): void;
  /** Resolves at the next CONNECT. */
  nextTarget(): Promise<string>;
}

export type ProxyFault =
  | { readonly kind: "status"; readonly status: number }
  /** Takes the request and keeps silent. */
  | { readonly kind: "hang" }
  /** Opens the tunnel to a server that keeps silent: TLS never gets an answer. */
  | { readonly kind: "silent-tunnel" }
  | { readonly kind: "garbage" }
  | { readonly kind: "cut" };

export interface ConnectProxyOptions {
  /** `user:password` that it insists on. */
  readonly login?: string;
  /** The loopback port that every tunnel leads to, whatever host it was opened for. */
  readonly targetPort: number;
}

export async function startConnectProxy(options: ConnectProxyOptions): Promise<ConnectProxy> {
  const targets: string[] = [];
  const plain: string[] = [];
  const sockets = new Set<Socket>();
  let fault: ProxyFault | undefined;
  let waiting: ((target: string) => void)[] = [];
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  };
  const expected = options.login && `Basic ${Buffer.from(options.login).toString("base64")}`;
  const server = createServer((request, response) => {
    plain.push(request.url ?? "");
    response.writeHead(400).end();
  });
  server.on("connection", track);
  server.on("connect", (request, stream, head) => {
    const client = stream as Socket;
    const target = request.url ?? "";
    targets.push(target);
    for (const resolve of waiting) resolve(target);
    waiting = [];
    const refuse = (status: number): void => {
      const challenge = status === 407 ? 'Proxy-Authenticate: Basic realm="proxy"\r\n' : "";
      client.end(`HTTP/1.1 ${status} Refused\r\n${challenge}Content-Length: 0\r\n\r\n`);
    };
    if (expected !== undefined && request.headers["proxy-authorization"] !== expected) return refuse(407);
    if (fault?.kind === "status") return refuse(fault.status);
    if (fault?.kind === "hang") return undefined;
    if (fault?.kind === "garbage") return void client.end("SSH-2.0-OpenSSH_9.6\r\n\r\n");
    if (fault?.kind === "cut") return void client.destroy();
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    if (fault?.kind === "silent-tunnel") return undefined;
    const upstream = connect(options.targetPort, "127.0.0.1");
    track(upstream);
    upstream.write(head);
    client.pipe(upstream).pipe(client);
    client.once("close", () => upstream.destroy());
    upstream.once("close", () => client.destroy());
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no TCP address");
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    targets,
    plain,
    misbehave: (wanted) => {
      fault = wanted;
    },
    nextTarget: () => new Promise((resolve) => waiting.push(resolve)),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
