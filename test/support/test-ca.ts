import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import type { Certificate } from "../sandbox/tls-front.ts";

const run = promisify(execFile);

/** A certificate authority of one test file, made with openssl, and a certificate that it signed. */
export interface TestCa extends AsyncDisposable {
  /** PEM file of the authority. */
  readonly file: string;
  readonly server: Certificate;
}

/** Why there can be no test CA here, or false: for `skip`. */
export async function whyNoOpenssl(): Promise<string | false> {
  try {
    await run("openssl", ["version"]);
    return false;
  } catch {
    return "needs openssl to make certificates";
  }
}

/** @param names the host names of the server's certificate */
export async function makeTestCa(names: readonly string[]): Promise<TestCa> {
  const directory = await mkdtemp(join(tmpdir(), "rolefresh-ca-"));
  const at = (name: string): string => join(directory, name);
  const openssl = (args: string) =>
    run(
      "openssl",
      args.split(" ").map((arg) => arg.replace(/^@/, `${directory}/`)),
    );
  const key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
  const extensions = "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign";
  await openssl(`req -x509 ${key} -keyout @ca.key -out @ca.pem -days 2 -subj /CN=TestCA ${extensions}`);
  await writeFile(at("san"), `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}\n`);
  await openssl(`req ${key} -keyout @key.pem -out @csr -subj /CN=TestSTS`);
  await openssl("x509 -req -in @csr -CA @ca.pem -CAkey @ca.key -CAcreateserial -out @cert.pem -days 2 -extfile @san");
  return {
    file: at("ca.pem"),
    server: { key: await readFile(at("key.pem"), "utf8"), cert: await readFile(at("cert.pem"), "utf8") },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
