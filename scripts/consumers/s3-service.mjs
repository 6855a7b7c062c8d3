// As much of S3 as a client needs that lists a bucket; it notes who signed what, by bucket.
import { createServer } from "node:http";

/** `keyOf` tells the secret and the token of an access key; `sigv4` is the sandbox's own judge of signatures. */
export async function startS3({ keyOf, sigv4 }) {
  const proofs = new Map();
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const bucket = /^\/([^/?]*)/.exec(request.url)?.[1] ?? "";
      const proof = prove(request, Buffer.concat(chunks), keyOf, sigv4);
      proofs.set(bucket, proof);
      response.setHeader("Content-Type", "application/xml");
      response.statusCode = proof.problem === undefined ? 200 : 403;
      response.end(proof.problem === undefined ? listing(request.url, bucket) : `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>${proof.problem}</Message></Error>`);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    proofOf: (bucket) => proofs.get(bucket),
    stop: () => server.close(),
  };
}

function prove(request, body, keyOf, sigv4) {
  const authorization = sigv4.parseAuthorization(request.headers.authorization);
  if (authorization === undefined) return { problem: "the request is not signed" };
  const { accessKeyId } = authorization;
  const key = keyOf(accessKeyId);
  if (key === undefined) return { problem: `nobody has the access key ${accessKeyId}` };
  const sessionToken = request.headers["x-amz-security-token"];
  if (sessionToken !== key.sessionToken) return { problem: "the session token is another one" };
  const signed = { method: request.method, target: request.url, headers: request.headers, body };
  const isRight = sigv4.isSignedWith(key.secretAccessKey, signed, authorization, request.headers["x-amz-date"] ?? "");
  if (!isRight) return { problem: "the signature is not of the secret key" };
  return { problem: undefined, accessKeyId, secretAccessKey: key.secretAccessKey, sessionToken, arn: key.principal.arn };
}

function listing(url, bucket) {
  if (/[?&]uploads/.test(url)) return `<?xml version="1.0"?><ListMultipartUploadsResult><Bucket>${bucket}</Bucket><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>`;
  if (/[?&]location/.test(url)) return `<?xml version="1.0"?><LocationConstraint>eu-west-1</LocationConstraint>`;
  return `<?xml version="1.0"?><ListBucketResult><Name>${bucket}</Name><Prefix></Prefix><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>`;
}
