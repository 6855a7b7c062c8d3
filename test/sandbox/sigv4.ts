import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/**
 * The server's side of AWS Signature Version 4 for form-POST and GET requests with an `Authorization` header.
 * Source: IAM User Guide "Create a signed AWS API request".
 */

export interface SignedRequest {
  readonly method: string;
  /** Path and query as they stood in the request line. */
  readonly target: string;
  /** Lower-case names, as node:http gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** The parts of an `Authorization: AWS4-HMAC-SHA256 …` header. */
export interface Authorization {
  readonly accessKeyId: string;
  /** `yyyymmdd` */
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly terminator: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const sha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, data: string): Buffer => createHmac("sha256", key).update(data).digest();

/** Takes the header apart; undefined when it is not one of SigV4. */
export function parseAuthorization(header: string | undefined): Authorization | undefined {
  const fields =
    /^AWS4-HMAC-SHA256\s+Credential=([^\s,]+)\s*,\s*SignedHeaders=([^\s,]+)\s*,\s*Signature=([0-9a-f]{64})$/.exec(
      header?.trim() ?? "",
    );
  if (fields === null) return undefined;
  const [, credential = "", signedHeaders = "", signature = ""] = fields;
  const [accessKeyId, day, region, service, terminator, ...rest] = credential.split("/");
  if (accessKeyId === undefined || day === undefined || region === undefined) return undefined;
  if (service === undefined || terminator === undefined || rest.length > 0) return undefined;
  return { accessKeyId, day, region, service, terminator, signedHeaders: signedHeaders.split(";"), signature };
}

/** RFC 3986 encoding as SigV4 wants it: everything but `A-Za-z0-9-._~`, upper-case hex. */
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const byBytes = (left: string, right: string): number => (left < right ? -1 : Number(left > right));

function canonicalQuery(query: string): string {
  return query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const at = pair.indexOf("=");
      const [name, value] = at === -1 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
      return `${encode(decodeURIComponent(name))}=${encode(decodeURIComponent(value))}`;
    })
    .toSorted(byBytes)
    .join("&");
}

function canonicalRequest(request: SignedRequest, signedHeaders: readonly string[]): string {
  const [path = "/", query = ""] = request.target.split("?", 2);
  const headers = signedHeaders.map((name) => {
    const value = request.headers[name];
    const text = typeof value === "string" ? value : (value ?? []).join(",");
    return `${name}:${text.trim().replaceAll(/ +/g, " ")}\n`;
  });
  return [
    request.method,
    path
      .split("/")
      .map((part) => encode(part))
      .join("/"),
    canonicalQuery(query),
    headers.join(""),
    signedHeaders.join(";"),
    sha256(request.body),
  ].join("\n");
}

/** Whether the signature is what the secret key makes of this request at this `X-Amz-Date` (`yyyymmddThhmmssZ`). */
export function isSignedWith(
  secretAccessKey: string,
  request: SignedRequest,
  authorization: Authorization,
  amzDate: string,
): boolean {
  const { day, region, service, terminator, signedHeaders, signature } = authorization;
  const scope = `${day}/${region}/${service}/${terminator}`;
  const text = `AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n${sha256(canonicalRequest(request, signedHeaders))}`;
  const key = [day, region, service, terminator].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  return timingSafeEqual(hmac(key, text), Buffer.from(signature, "hex"));
}

/** An instant in SigV4's basic format, `yyyymmddThhmmssZ`. */
export const toAmzDate = (instant: Date): string => instant.toISOString().replaceAll(/[-:]|\.\d{3}/g, "");

/** Reads SigV4's basic format; undefined when it is none. */
export function fromAmzDate(text: string): Date | undefined {
  const parts = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  const instant = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(instant.getTime()) ? undefined : instant;
}
