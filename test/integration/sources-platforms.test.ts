import assert from "node:assert/strict";
import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { tokenFromKubernetes } from "../../src/sources/kubernetes.ts";
import { obtainIdentityToken } from "../../src/sources/obtain-token.ts";
import { signToken } from "../sandbox/google-token.ts";
import { timesAt } from "../sandbox/token-service.ts";
import { assertIdentityFails, identityBench } from "../support/sources-bench.ts";
import { tempHome } from "../support/temp-home.ts";

const token = (aud: string, iss = "https://oidc.eks.example.com/id/A", at = new Date()) =>
  signToken({ iss, sub: "system:serviceaccount:default:app", aud: [aud], ...timesAt(at) });

suite("identity = gitlab (docs.gitlab.com, OpenID Connect ID tokens)", () => {
  const source = { kind: "gitlab", variable: "AWS_ID_TOKEN", audience: "https://gitlab.example.com" } as const;

  test("takes the variable that the job's id_tokens name", async () => {
    const value = await token(source.audience, "https://gitlab.example.com");
    const { context } = identityBench({ env: { GITLAB_CI: "true", AWS_ID_TOKEN: value, OTHER: value } });
    assert.equal((await obtainIdentityToken(source, context)).token.reveal(), value);
    assert.equal((await obtainIdentityToken({ ...source, variable: "OTHER" }, context)).token.reveal(), value);
    await assertIdentityFails(
      obtainIdentityToken({ ...source, audience: "other" }, context),
      "TOKEN_AUDIENCE",
      /aud=https:\/\/gitlab/,
    );
  });

  test("in a job without the token says what to add; outside of a job is IDENTITY_UNAVAILABLE", async () => {
    const { context } = identityBench({ env: { GITLAB_CI: "true", AWS_ID_TOKEN: "" } });
    await assertIdentityFails(
      obtainIdentityToken(source, context),
      "TOKEN_MISSING",
      /\$AWS_ID_TOKEN is not set/,
      /id_tokens: \{ AWS_ID_TOKEN: \{ aud: https:\/\/gitlab\.example\.com \} \}/,
    );
    await assertIdentityFails(
      obtainIdentityToken(source, identityBench().context),
      "IDENTITY_UNAVAILABLE",
      /not running in a GitLab job/,
    );
  });
});

suite("identity = kubernetes", () => {
  const EKS = "var/run/secrets/eks.amazonaws.com/serviceaccount/token";
  const OURS = "var/run/rolefresh/token/token";
  const API = "var/run/secrets/kubernetes.io/serviceaccount/token";
  const source = { kind: "kubernetes", path: undefined, audience: undefined } as const;
  const AUDIENCE = "sts.amazonaws.com";

  test("takes the configured file, else AWS_WEB_IDENTITY_TOKEN_FILE, else the usual paths", async () => {
    await using pod = await tempHome();
    for (const name of ["configured", "named", EKS, OURS]) await pod.write(name, await token(name));
    const at = (name: string) => join(pod.path, name);
    const { context: plain } = identityBench();
    const { context: named } = identityBench({ env: { AWS_WEB_IDENTITY_TOKEN_FILE: at("named") } });
    const audienceOf = async (...args: Parameters<typeof tokenFromKubernetes>) =>
      (await tokenFromKubernetes(...args)).claims.audience;
    assert.deepEqual(await audienceOf({ ...source, path: at("configured") }, named, pod.path), ["configured"]);
    assert.deepEqual(await audienceOf(source, named, pod.path), ["named"]);
    assert.deepEqual((await obtainIdentityToken(source, named)).claims.audience, ["named"]);
    assert.deepEqual(await audienceOf(source, plain, pod.path), [EKS]);
    await rm(at(EKS));
    assert.deepEqual(await audienceOf(source, plain, pod.path), [OURS]);
  });

  test("reads through kubelet's ..data link", async () => {
    await using pod = await tempHome();
    await pod.write("var/run/rolefresh/token/..2026/token", await token(AUDIENCE));
    await symlink("..2026", join(pod.path, "var/run/rolefresh/token/..data"));
    await symlink("..data/token", join(pod.path, OURS));
    assert.deepEqual((await tokenFromKubernetes(source, identityBench().context, pod.path)).claims.audience, [
      AUDIENCE,
    ]);
  });

  test("never sends the token for the cluster's API, unless it was issued for AWS too", async () => {
    await using pod = await tempHome();
    const { context } = identityBench();
    await pod.write(API, await token("https://kubernetes.default.svc"));
    await assertIdentityFails(
      tokenFromKubernetes(source, context, pod.path),
      "IDENTITY_UNAVAILABLE",
      /only one for the cluster's own API/,
      /serviceAccountToken/,
    );
    const wanted = { ...source, audience: AUDIENCE };
    await assertIdentityFails(
      tokenFromKubernetes(wanted, context, pod.path),
      "TOKEN_AUDIENCE",
      /aud=https:\/\/kubernetes/,
      /serviceAccountToken/,
    );
    await pod.write(API, await token(AUDIENCE));
    assert.deepEqual((await tokenFromKubernetes(wanted, context, pod.path)).claims.audience, [AUDIENCE]);
    await pod.write(API, "eyJ");
    await assertIdentityFails(tokenFromKubernetes(wanted, context, pod.path), "TOKEN_MALFORMED");
  });

  test("outside of a pod is IDENTITY_UNAVAILABLE", async () => {
    await using pod = await tempHome();
    await mkdir(join(pod.path, "var"));
    await assertIdentityFails(
      tokenFromKubernetes(source, identityBench().context, pod.path),
      "IDENTITY_UNAVAILABLE",
      /not running in a Kubernetes pod/,
    );
  });
});

suite("identity = azure on AKS (learn.microsoft.com, workload identity)", () => {
  test("is the file that the webhook names, for its own audience", async () => {
    await using pod = await tempHome();
    const file = await pod.write("azure-identity-token", await token("api://AzureADTokenExchange"));
    const { context } = identityBench({
      env: { AZURE_FEDERATED_TOKEN_FILE: file, IDENTITY_ENDPOINT: "http://localhost:1" },
    });
    const source = { kind: "azure", audience: undefined, clientId: undefined } as const;
    assert.deepEqual((await obtainIdentityToken(source, context)).claims.audience, ["api://AzureADTokenExchange"]);
    await assertIdentityFails(obtainIdentityToken({ ...source, audience: "other" }, context), "TOKEN_AUDIENCE");
    await rm(file);
    await assertIdentityFails(obtainIdentityToken(source, context), "TOKEN_MISSING");
  });
});

suite("a token's clock", () => {
  const source = { kind: "env", variable: "T", audience: undefined } as const;

  test("shows how far ours is behind when the token is from the future, and nothing when it is old", async () => {
    for (const [ageMs, expected] of [
      [-120_000, -120_000],
      [1_800_000, undefined],
    ] as const) {
      const { context } = identityBench({ env: { T: await token("a", undefined, new Date(Date.now() - ageMs)) } });
      const { clockAheadMs } = await obtainIdentityToken(source, context);
      if (expected === undefined) assert.equal(clockAheadMs, undefined);
      else assert.ok(Math.abs((clockAheadMs ?? 0) - expected) < 10_000, String(clockAheadMs));
    }
  });
});

suite("SPIFFE, by `identity = command`", () => {
  test("takes the JWT-SVID out of `spire-agent api fetch jwt -output json` with the documented line", async (t) => {
    const { runProgram, shellCommand } = await import("../../src/base/program.ts");
    const { context: probe } = identityBench();
    const jq = await runProgram(shellCommand("command -v jq", "sh"), probe);
    if (jq.kind !== "exit" || jq.status !== 0) return t.skip("needs jq");
    await using node = await tempHome();
    const svid = await token("sts.amazonaws.com", "https://oidc.spire.example.org");
    // Its shape: spiffe/spire, cmd/spire-agent/cli/api/fetch_jwt.go prints [JWTSVIDResponse, JWTBundlesResponse].
    const answer = [{ svids: [{ spiffe_id: "spiffe://example.org/app", svid, hint: "" }] }, { bundles: {} }];
    await node.write("answer.json", JSON.stringify(answer));
    await node.write(
      "bin/spire-agent",
      '#!/bin/sh\n[ "$*" = "api fetch jwt -audience sts.amazonaws.com -output json" ] && cat answer.json\n',
      0o755,
    );
    const { context } = identityBench({ cwd: node.path, env: { PATH: `${node.path}/bin:/usr/bin:/bin` } });
    const command = "spire-agent api fetch jwt -audience sts.amazonaws.com -output json | jq -r '.[0].svids[0].svid'";
    const found = await obtainIdentityToken({ kind: "command", command, audience: "sts.amazonaws.com" }, context);
    assert.equal(found.token.reveal(), svid);
  });
});
