import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assumeByToken, refusalOf, whoAmI } from "../sandbox/sdk-caller.ts";
import { DEFAULT_SERVICE_ACCOUNT, startSandbox, type Signer, type TokenClaims } from "../sandbox/sandbox.ts";

const fromNow = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

describe("a web identity token", () => {
  const cases: readonly {
    readonly name: string;
    readonly claims?: TokenClaims;
    readonly signer?: Signer;
    readonly code: string;
    readonly status: number;
    readonly message: RegExp;
  }[] = [
    {
      name: "that has expired",
      claims: { exp: fromNow(-60) },
      code: "ExpiredTokenException",
      status: 400,
      message: /^Token expired: current date\/time \d+ must be before the expiration date\/time \d+$/,
    },
    {
      name: "that is not valid yet",
      claims: { nbf: fromNow(3600) },
      code: "InvalidIdentityToken",
      status: 400,
      message: /not valid yet/,
    },
    {
      name: "of an issuer that is no provider",
      claims: { iss: "https://evil.example" },
      code: "InvalidIdentityToken",
      status: 400,
      message: /^No OpenIDConnect provider found in your account for https:\/\/evil\.example$/,
    },
    {
      name: "signed with another key under Google's key id",
      signer: "stranger",
      code: "InvalidIdentityToken",
      status: 400,
      message: /signature/,
    },
    {
      name: "signed with a key that nobody publishes",
      signer: "unknown-key",
      code: "InvalidIdentityToken",
      status: 400,
      message: /^Couldn't retrieve verification key from your identity provider, {2}please/,
    },
    {
      name: "that nobody signed",
      signer: "nobody",
      code: "InvalidIdentityToken",
      status: 400,
      message: /not a valid JWT/,
    },
    {
      name: "without a subject",
      claims: { sub: undefined },
      code: "InvalidIdentityToken",
      status: 400,
      message: /claim/,
    },
    {
      name: "of another service account",
      claims: { azp: "999", sub: "999" },
      code: "AccessDenied",
      status: 403,
      message: /^Not authorized to perform sts:AssumeRoleWithWebIdentity$/,
    },
    {
      // A service account key file gives the e-mail there: googleapis/google-auth-library-python issue 746.
      name: "whose azp is the e-mail",
      claims: { azp: DEFAULT_SERVICE_ACCOUNT.email },
      code: "AccessDenied",
      status: 403,
      message: /Not authorized/,
    },
  ];
  for (const { name, claims, signer, code, status, message } of cases) {
    test(`${name} is refused with ${code}`, async () => {
      await using sandbox = await startSandbox();
      const WebIdentityToken = await sandbox.mintToken(claims, signer);
      const refused = await refusalOf(assumeByToken(sandbox, { WebIdentityToken }));
      assert.deepEqual({ code: refused.code, status: refused.status }, { code, status });
      assert.match(refused.message, message);
      assert.equal(sandbox.calls[0]?.errorCode, code);
    });
  }

  test("that is no JWT is refused, and one of a megabyte for its length", async () => {
    await using sandbox = await startSandbox();
    const junk = await refusalOf(assumeByToken(sandbox, { WebIdentityToken: "ya29.access-token" }));
    assert.equal(
      junk.message,
      "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
    );
    const huge = await refusalOf(assumeByToken(sandbox, { WebIdentityToken: "a.".repeat(512 * 1024) }));
    assert.equal(huge.code, "ValidationError");
    assert.match(huge.message, /'webIdentityToken'.*length less than or equal to 20000$/);
  });

  test("of another registered issuer is matched by that issuer's condition keys", async () => {
    await using sandbox = await startSandbox();
    const provider = sandbox.issuerUrl.replace("http://", "");
    const arn = "arn:aws:iam::123412341234:role/ci/deploy";
    sandbox.addRole({
      arn,
      trustPolicy: {
        Statement: {
          Effect: "Allow",
          Principal: { Federated: `arn:aws:iam::123412341234:oidc-provider/${provider}` },
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: { StringLike: { [`${provider}:sub`]: "repo:octo/*" } },
        },
      },
    });
    const claims = { iss: sandbox.issuerUrl, aud: "sts.amazonaws.com", azp: undefined, sub: "repo:octo/app" };
    const keys = await assumeByToken(sandbox, { RoleArn: arn, WebIdentityToken: await sandbox.mintToken(claims) });
    const { Arn } = await whoAmI(sandbox, keys);
    assert.equal(Arn, "arn:aws:sts::123412341234:assumed-role/deploy/demo-project.legacy-vm");
    const other = await sandbox.mintToken({ ...claims, aud: "somebody-else" });
    const refused = await refusalOf(assumeByToken(sandbox, { RoleArn: arn, WebIdentityToken: other }));
    assert.equal(refused.message, "Incorrect token audience");
  });
});
