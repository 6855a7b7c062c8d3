import assert from "node:assert/strict";
import { chmod, chown, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { suite, test } from "node:test";

import type { Fault } from "../sandbox/sandbox.ts";
import { runOverdue } from "../support/overdue.ts";
import type { RunResult } from "../support/run-bin.ts";
import { GCP_ARN, ONE_ROLE, openScene, type Scene } from "../support/scene.ts";
import { OTHER_USER, otherUserMissing } from "../support/other-user.ts";

/*
 * Bad input gets a clear error and loses nothing: each case asserts the exit status, every line on stderr, silence on
 * stdout, and that the credentials file is as it was, with no temp or lock beside it.
 */

const FILE =
  "# hand-made\n[default]\nregion = eu-west-1\n\n[theirs]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n";

/** Runs refresh and holds it to the rules that all failures share. */
async function fails(
  scene: Scene,
  code: number,
  stderr: RegExp,
  options: Parameters<Scene["run"]>[1] & { readonly isReached?: () => boolean } = {},
  args: readonly string[] = [],
): Promise<RunResult> {
  const before = await contentOf(scene.home.credentials);
  const files = await scene.home.awsFiles();
  const { isReached } = options;
  const result = await (isReached ? runOverdue(scene, args, isReached, options) : scene.run(args, options));
  assert.deepEqual([result.code, result.signal, result.stdout], [code, null, ""], result.stderr);
  assert.match(result.stderr, stderr);
  for (const line of result.stderr.trimEnd().split("\n"))
    assert.match(line, /^rolefresh: (error|warning|hint): (?:[^A-Z\s]|AWS|STS|IAM).*[^.]$/, "the voice");
  assert.ok(!/\n\s+at /.test(result.stderr), "no stack for a foreseen failure");
  assert.deepEqual(await contentOf(scene.home.credentials), before, "the credentials file is as it was");
  assert.deepEqual(await scene.home.awsFiles(), files, "no temp and no lock is left");
  return result;
}

async function contentOf(path: string): Promise<string> {
  try {
    return (await readFile(path)).toString("latin1");
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "?";
  }
}

async function sceneWithFile(config = ONE_ROLE): Promise<Scene> {
  const scene = await openScene(config);
  await scene.home.write(".aws/credentials", FILE);
  return scene;
}

suite("a bad config", () => {
  test("a missing one", async () => {
    await using scene = await openScene(undefined);
    await scene.home.write(".aws/credentials", FILE);
    await fails(scene, 78, /no config found: .*\/\.aws\/rolefresh\.ini and \/etc\/rolefresh\.ini do not exist/);
    await fails(scene, 78, /the config \/nonexistent\.ini does not exist/, {}, ["--config", "/nonexistent.ini"]);
  });

  test("one that may not be read (as another user than root)", async (t) => {
    const missing = otherUserMissing();
    if (missing !== undefined) return t.skip(missing);
    await using scene = await sceneWithFile();
    await chmod(scene.home.config, 0o000);
    await giveTo(scene, OTHER_USER);
    const result = await fails(scene, 77, /the config .*rolefresh\.ini cannot be read: permission denied/, {
      uid: OTHER_USER,
    });
    assert.match(result.stderr, /hint: ls -l/);
  });

  const configs: readonly (readonly [string, string | Buffer, RegExp])[] = [
    ["an empty one", "", /no profile is configured/],
    [
      "an unknown key",
      ONE_ROLE.replace("identity", "identty"),
      /rolefresh\.ini:3: \[default\] unknown key 'identty'\nrolefresh: hint: did you mean 'identity'\?/,
    ],
    [
      "a bad ARN",
      ONE_ROLE.replace(GCP_ARN, "my-role"),
      /rolefresh\.ini:2: \[default\] role_arn = 'my-role' is not the ARN of an IAM role/,
    ],
    [
      "a bad duration",
      `${ONE_ROLE}duration_seconds = 90000\n`,
      /:4: \[default\] duration_seconds = '90000' is not an integer from 900 to 43200/,
    ],
    [
      "a bad session name",
      `${ONE_ROLE}role_session_name = a b\n`,
      /:4: \[default\] role_session_name = 'a b' is not valid/,
    ],
    [
      "a source_profile that is nowhere",
      `[a]\nrole_arn = ${GCP_ARN}\nsource_profile = thiers\n`,
      /source_profile 'thiers' is neither configured nor a section of .*credentials\nrolefresh: hint: did you mean 'theirs'\?/,
    ],
    [
      "one that is not UTF-8",
      Buffer.from(`[d\xe9fault]\nrole_arn = ${GCP_ARN}\n`, "latin1"),
      /the config .* is not UTF-8/,
    ],
    [
      "a broken policy file",
      `${ONE_ROLE}policy_file = nowhere.json\n`,
      /policy_file .*\/\.aws\/nowhere\.json cannot be used: it does not exist/,
    ],
  ];
  for (const [title, config, expected] of configs) {
    test(title, async () => {
      await using scene = await sceneWithFile();
      await writeFile(scene.home.config, config);
      await fails(scene, 78, expected);
      assert.equal(scene.sandbox.callsTo("AssumeRoleWithWebIdentity").length, 0);
    });
  }
});

suite("a credentials file that cannot be handled safely", () => {
  const contents: readonly (readonly [string, string | Buffer, RegExp])[] = [
    [
      "the same profile twice",
      "[default]\nregion = a\n[x]\n[default]\nregion = b\n",
      /credentials:4: section \[default\] is defined twice, first on line 1/,
    ],
    ["a NUL byte", "[default]\nx = a\0b\n", /credentials:2: the file contains a NUL byte/],
    ["UTF-16", Buffer.from("[default]\n", "utf16le"), /NUL byte/],
    ["a lone carriage return", "[default]\rregion = a\n", /carriage return/],
    [
      "a long-lived key in the section",
      "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n",
      /refusing to overwrite \[default\]: it holds a long-lived access key that rolefresh did not write \(.*credentials:\d+\)\nrolefresh: hint: .*overwrite = true/,
    ],
    ["a manager of another tool", "[default]\nmanager = awsume\n", /it is managed by 'awsume'/],
    ["a role_arn in the section", "[default]\nrole_arn = x\nsource_profile = y\n", /it holds role_arn/],
    [
      "a header that some readers take for ours",
      "[default] junk\naws_access_key_id = ASIAX\n",
      /some readers take this line for the header of \[default\]/,
    ],
    [
      "a continuation under a managed key",
      "[default]\naws_access_key_id = ASIAX\naws_secret_access_key = s\naws_session_token = a\n  b\n",
      /credentials:5: some readers take this indented line for a part of aws_session_token/,
    ],
    ["50 MB", Buffer.alloc(50_000_000, "# x\n"), /larger than 32 MiB|is too large/],
  ];
  for (const [title, content, expected] of contents) {
    test(`${title}: refused before any call`, async () => {
      await using scene = await openScene(ONE_ROLE);
      await scene.home.write(".aws/credentials", content);
      await fails(scene, 65, expected);
      assert.equal(scene.sandbox.calls.length, 0);
    });
  }

  test("a directory", async () => {
    await using scene = await openScene(ONE_ROLE);
    await mkdir(scene.home.credentials);
    await fails(scene, 65, /is a directory/);
  });

  test("a dangling symlink and a symlink loop", async () => {
    await using scene = await openScene(ONE_ROLE);
    await symlink("/nonexistent/credentials", scene.home.credentials);
    await fails(scene, 65, /symbolic link/);
    await rm(scene.home.credentials);
    await symlink("credentials", scene.home.credentials);
    await fails(scene, 65, /symbolic link/);
  });

  test("bytes that are not UTF-8 elsewhere are kept, with a warning that botocore cannot read the file", async () => {
    await using scene = await openScene(ONE_ROLE);
    const before = Buffer.from("# d\xe9j\xe0 vu\n[default]\nregion = a\n", "latin1");
    await scene.home.write(".aws/credentials", before);
    const { code, stdout, stderr } = await scene.run([]);
    assert.deepEqual([code, stdout], [0, ""]);
    assert.match(stderr, /^rolefresh: warning: .*credentials:1: .*UTF-8/);
    assert.ok((await readFile(scene.home.credentials)).subarray(0, before.length).equals(before));
  });

  test("one that may not be read, and a directory that may not be written (as another user than root)", async (t) => {
    const missing = otherUserMissing();
    if (missing !== undefined) return t.skip(missing);
    await using scene = await sceneWithFile();
    await giveTo(scene, OTHER_USER);
    await chmod(scene.home.credentials, 0o000);
    await fails(scene, 77, /credentials.*permission denied|EACCES/, { uid: OTHER_USER });
    await chmod(scene.home.credentials, 0o600);
    await chmod(`${scene.home.path}/.aws`, 0o500);
    await fails(scene, 73, /cannot/, { uid: OTHER_USER });
    await chmod(`${scene.home.path}/.aws`, 0o700);
  });
});

async function giveTo(scene: Scene, uid: number): Promise<void> {
  for (const name of ["", "/.aws", "/.aws/rolefresh.ini", "/.aws/credentials"])
    await chown(scene.home.path + name, uid, uid);
}

suite("a bad token", () => {
  const withFile = `[default]\nrole_arn = ${GCP_ARN}\nweb_identity_token_file = token\n`;
  const claims = (changes: Record<string, unknown>) => async (scene: Scene) => scene.sandbox.mintToken(changes);
  const hour = 3600;
  const now = () => Math.floor(Date.now() / 1000);
  const tokens: readonly (readonly [string, number, (scene: Scene) => Promise<string | undefined>, RegExp])[] = [
    ["a missing file", 66, async () => undefined, /profile 'default': .*token.*\.aws\/token/],
    ["an empty one", 65, async () => "", /empty/],
    ["no JWT", 65, async () => "<html>please log in</html>", /not a JWT|no JWT/],
    ["one of 1 MB", 65, async () => "e".repeat(1_000_000), /1000000|1,000,000|too l/],
    [
      "an expired one",
      77,
      claims({ iat: now() - 2 * hour, exp: now() - hour }),
      /expired.*iss.*accounts\.google\.com.*sub/,
    ],
    [
      "one that is not valid yet",
      77,
      claims({ iat: now() + hour, nbf: now() + hour, exp: now() + 2 * hour }),
      /not (yet )?valid/,
    ],
    ["one of another issuer", 77, claims({ iss: "https://evil.example.com" }), /InvalidIdentityToken/],
    ["one of another service account", 77, claims({ azp: "999", sub: "999" }), /AccessDenied/],
  ];
  for (const [title, code, make, expected] of tokens) {
    test(title, async () => {
      await using scene = await sceneWithFile(withFile);
      const token = await make(scene);
      if (token !== undefined) await scene.home.write(".aws/token", token);
      const { stderr } = await fails(scene, code, expected);
      if (token !== undefined && token.length > 20) assert.ok(!stderr.includes(token.slice(0, 20)), "never the token");
    });
  }

  test("from a file, on a machine whose clock is an hour off: refused, and the message names the clock", async () => {
    for (const offsetMs of [-3_700_000, 3_700_000]) {
      await using scene = await openScene(withFile, { now: () => new Date(Date.now() + offsetMs) });
      await scene.home.write(".aws/credentials", FILE);
      await scene.home.write(".aws/token", await scene.sandbox.mintToken());
      await fails(scene, 77, /clock/);
    }
  });
});

suite("STS misbehaves", { concurrency: 4 }, () => {
  const faults: readonly (readonly [Fault, number, RegExp])[] = [
    [{ kind: "aws-error", code: "AccessDenied" }, 77, /AccessDenied/],
    [{ kind: "aws-error", code: "ExpiredTokenException" }, 77, /ExpiredToken/],
    [
      { kind: "aws-error", code: "InvalidIdentityToken", message: "Incorrect token audience" },
      77,
      /InvalidIdentityToken/,
    ],
    [{ kind: "aws-error", code: "IDPCommunicationError" }, 75, /IDPCommunicationError/],
    [{ kind: "aws-error", code: "Throttling" }, 75, /[Tt]hrottl/],
    [{ kind: "aws-error", code: "MalformedPolicyDocument" }, 78, /MalformedPolicyDocument/],
    [{ kind: "aws-error", code: "PackedPolicyTooLarge" }, 78, /PackedPolicyTooLarge/],
    [{ kind: "aws-error", code: "RegionDisabledException" }, 77, /RegionDisabled/],
    [{ kind: "aws-error", code: "ValidationError" }, 78, /ValidationError/],
    [{ kind: "hang" }, 75, /./],
    [{ kind: "reset" }, 75, /./],
    [{ kind: "drip" }, 75, /./],
    [{ kind: "half-body" }, 75, /./],
    [{ kind: "garbage" }, 76, /./],
    [{ kind: "html" }, 76, /./],
    [{ kind: "redirect" }, 76, /redirect|302/],
    [{ kind: "status", status: 503 }, 75, /503/],
    [{ kind: "huge-body" }, 76, /./],
    [{ kind: "empty-body" }, 76, /./],
    [{ kind: "past-expiry" }, 76, /./],
    [{ kind: "bad-expiry" }, 76, /./],
    [{ kind: "no-credentials" }, 76, /./],
    [{ kind: "wrong-account" }, 76, /./],
    [{ kind: "wrong-role" }, 76, /./],
    [{ kind: "hostile-field", field: "sessionToken", text: "abc\n[evil]\naws_access_key_id = AKIA" }, 76, /./],
    [{ kind: "hostile-field", field: "secretAccessKey", text: "abc]\u0007" }, 76, /./],
    [{ kind: "hostile-field", field: "accessKeyId", text: "ASIA\n[evil]" }, 76, /./],
    [
      {
        kind: "hostile-field",
        field: "arn",
        text: "arn:aws:sts::123412341234:assumed-role/my-gcp-role-20211031/x\n[evil]",
      },
      76,
      /./,
    ],
  ];
  for (const [fault, code, expected] of faults) {
    test(`${JSON.stringify(fault)} → ${code}`, async () => {
      await using scene = await sceneWithFile();
      scene.sandbox.misbehave("sts", fault);
      const calls = () => scene.sandbox.callsTo("AssumeRoleWithWebIdentity").length;
      // What may heal is asked again until its turns are over.
      const isSilent = fault.kind === "hang" || fault.kind === "drip";
      await fails(scene, code, expected, { isReached: () => isSilent && calls() > 0 });
      assert.equal(scene.sandbox.callsTo("/_sandbox/trap").length, 0, "no redirect is followed");
    });
  }

  test("nobody listens there", async () => {
    await using scene = await sceneWithFile();
    await fails(scene, 75, /ECONNREFUSED/, { env: { AWS_ENDPOINT_URL_STS: "http://127.0.0.1:9" } });
  });

  test("plain http to another host is refused before anything is sent", async () => {
    await using scene = await sceneWithFile();
    await fails(scene, 78, /AWS_ENDPOINT_URL_STS names sts\.example\.com with plain http/, {
      env: { AWS_ENDPOINT_URL_STS: "http://sts.example.com" },
    });
  });
});

suite("the metadata server misbehaves", { concurrency: 4 }, () => {
  const faults: readonly (readonly [Fault, number])[] = [
    [{ kind: "no-flavor" }, 76],
    [{ kind: "not-a-jwt" }, 76],
    [{ kind: "huge-token" }, 76],
    [{ kind: "html" }, 76],
    [{ kind: "redirect" }, 76],
    [{ kind: "empty-body" }, 76],
    [{ kind: "huge-body" }, 76],
    [{ kind: "hang" }, 75],
    [{ kind: "reset" }, 75],
    [{ kind: "status", status: 503 }, 75],
    [{ kind: "status", status: 429 }, 75],
    [{ kind: "status", status: 403 }, 77],
  ];
  for (const [fault, code] of faults) {
    test(`${JSON.stringify(fault)} → ${code}`, async () => {
      await using scene = await sceneWithFile();
      scene.sandbox.misbehave("metadata", fault, { action: "identity" });
      const calls = () => scene.sandbox.callsTo("identity").length;
      await fails(scene, code, /profile 'default': /, { isReached: () => fault.kind === "hang" && calls() > 0 });
      assert.equal(scene.sandbox.callsTo("AssumeRoleWithWebIdentity").length, 0);
    });
  }

  test("503 twice, then good: refreshed all the same", async () => {
    await using scene = await sceneWithFile();
    scene.sandbox.misbehave("metadata", { kind: "status", status: 503 }, { action: "identity", times: 2 });
    scene.sandbox.misbehave("sts", { kind: "status", status: 503 }, { times: 2 });
    assert.deepEqual(await scene.run([]), { code: 0, signal: null, stdout: "", stderr: "" });
  });
});

suite("signals", () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`${signal} while STS hangs: cleaned up, then died of the signal`, async () => {
      await using scene = await sceneWithFile();
      scene.sandbox.misbehave("sts", { kind: "hang" });
      const called = scene.sandbox.nextCall("AssumeRoleWithWebIdentity");
      const result = await scene.run([], { onSpawn: (child) => void called.then(() => child.kill(signal)) });
      assert.deepEqual([result.code, result.signal, result.stdout], [null, signal, ""]);
      assert.match(result.stderr, new RegExp(`stopped by ${signal}`));
      assert.equal(await scene.credentials(), FILE);
      assert.deepEqual(await scene.home.awsFiles(), ["credentials", "rolefresh.ini"]);
    });
  }

  test("SIGTERM at forty moments of a run: the old or the new file, no temp, no lock", async () => {
    await using scene = await sceneWithFile();
    const ends = new Set<string>();
    for (let round = 0; round < 40; round++) {
      await writeFile(scene.home.credentials, FILE);
      const result = await scene.run([], {
        onSpawn: (child) => void setTimeout(() => child.kill("SIGTERM"), round * 8),
      });
      ends.add(result.signal ?? String(result.code));
      const file = await scene.credentials();
      assert.ok(file === FILE || /\nmanager = rolefresh\n/.test(file), file);
      assert.ok(file.endsWith("aws_secret_access_key = s\n"));
      assert.deepEqual(await scene.home.awsFiles(), ["credentials", "rolefresh.ini"], `round ${round}`);
    }
    assert.ok(ends.has("SIGTERM"), [...ends].join(" "));
  });
});
