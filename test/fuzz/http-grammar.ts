import type { Chance } from "./chance.ts";
import { mutate } from "./mutate.ts";

const STATUS = [
  "200 OK",
  "200 OK",
  "200 OK",
  "200 OK",
  "200 OK",
  "200",
  "204 No Content",
  "302 Found",
  "400 Bad Request",
  "403 Forbidden",
  "404 Not Found",
  "429 Too Many",
  "500 Oops",
  "503 Busy",
  "999 x",
  "100 Continue",
];
const HEADERS = [
  "Content-Type: text/html",
  "Location: http://127.0.0.1:1/",
  "Set-Cookie: a=b",
  "Date: yesterday",
  "Date: Mon, 23 Nov 2026 10:00:00 GMT",
  "X: \u0007",
  "Content-Encoding: gzip",
  "Transfer-Encoding: chunked",
  "Retry-After: 1",
  "x-amzn-RequestId: 00000000-0000-4000-8000-000000000000",
  "Content-Length: 5",
];

/** An HTTP answer with a body, whole or broken in one of the ways that proxies, portals and dying servers break it. */
export function httpAnswer(body: Buffer, headers: readonly string[], chance: Chance): Buffer {
  const isGood = !chance.oneIn(5);
  const lines = [
    `HTTP/1.1 ${isGood ? "200 OK" : chance.pick(STATUS)}`,
    ...(isGood || chance.oneIn(2) ? headers : headers.filter(() => chance.oneIn(2))),
    ...(isGood ? [] : chance.many(2, () => chance.pick(HEADERS))),
    ...(isGood || chance.oneIn(2) ? [`Content-Length: ${body.length}`] : []),
    "Connection: close",
    "",
    "",
  ];
  const answer = Buffer.concat([Buffer.from(lines.join("\r\n"), "latin1"), body]);
  return isGood
    ? answer
    : chance.weighted([
        [3, () => answer],
        [1, () => mutate(answer, chance)],
        [1, () => answer.subarray(0, chance.below(answer.length))],
      ]);
}
