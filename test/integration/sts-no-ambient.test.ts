import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { GCP_ROLE, startSandbox } from "../sandbox/sandbox.ts";

/**
 * The call must work whatever stands in the environment and in `~/.aws`: these are the files that rolefresh writes, or
 * that a user broke (aws-sdk-php#1725, gimme-aws-creds#483: ambient settings poisoned what should be unsigned).
 */

const at = (path: string): string => new URL(`../../src/${path}`, import.meta.url).href;

const SCRIPT = `
const { startDeadline } = await import(${JSON.stringify(at("base/deadline.js"))});
const { checkToken } = await import(${JSON.stringify(at("sources/jwt.js"))});
const { openSts } = await import(${JSON.stringify(at("sts/client.js"))});
const { assumeRoleWithWebIdentity } = await import(${JSON.stringify(at("sts/assume-role-with-web-identity.js"))});
const { assumeRole } = await import(${JSON.stringify(at("sts/assume-role.js"))});
const { url, token, arn } = JSON.parse(process.argv[1]);
const clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  random: Math.random,
  sleep: async () => {},
};
const deadline = startDeadline(30_000, clock, new AbortController().signal);
const clients = openSts({ env: { AWS_ENDPOINT_URL_STS: url }, uid: undefined, clock, deadline, verbose: () => {} });
const [, partition, , , account] = arn.split(":");
const request = {
  role: { arn, partition, account, name: arn.split("/").at(-1) },
  sessionName: "ambient", durationSeconds: undefined, policyArns: [], policy: undefined,
  endpoint: { region: "ap-northeast-1", url: undefined },
};
const session = await assumeRoleWithWebIdentity(clients, request, checkToken(token, { now: new Date() }));
const chained = { ...request, externalId: undefined, tags: [], transitiveTagKeys: [], sourceIdentity: undefined };
const outcome = await assumeRole(clients, chained, session).then(() => "assumed", (error) => error.code);
console.log(JSON.stringify({ principalArn: session.principalArn, chained: outcome }));
clients.close();
deadline.clear();
`;

const AMBIENT = {
  AWS_PROFILE: "does-not-exist",
  AWS_ACCESS_KEY_ID: "AKIAAMBIENTAMBIENT00",
  AWS_SECRET_ACCESS_KEY: "ambient-secret",
  AWS_SESSION_TOKEN: "ambient-token",
  AWS_REGION: "not a region",
  AWS_MAX_ATTEMPTS: "many",
  AWS_RETRY_MODE: "nonsense",
  AWS_DEFAULTS_MODE: "nonsense",
  AWS_USE_FIPS_ENDPOINT: "nonsense",
  AWS_USE_DUALSTACK_ENDPOINT: "nonsense",
  AWS_ENDPOINT_URL: "http://192.0.2.1",
  AWS_SIGV4A_SIGNING_REGION_SET: "*",
  AWS_AUTH_SCHEME_PREFERENCE: "sigv4a",
  AWS_DISABLE_CLOCK_SKEW_CORRECTION: "nonsense",
  AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "nonsense",
  AWS_SDK_UA_APP_ID: "x".repeat(100),
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
};

describe("STS calls with everything around them broken", () => {
  const homes: readonly (readonly [string, (aws: string) => Promise<void>])[] = [
    ["a config that is not INI", (aws) => writeFile(join(aws, "config"), "\u0000[[[\n= x\n[default\nregion")],
    ["a config that is a directory", (aws) => mkdir(join(aws, "config"))],
    [
      "a config that sets everything otherwise",
      (aws) =>
        writeFile(
          join(aws, "config"),
          "[profile does-not-exist]\nregion = us-east-1\nendpoint_url = http://192.0.2.2\nrole_arn = arn:aws:iam::1:role/x\n" +
            "source_profile = x\nuse_fips_endpoint = true\nservices = gone\nretry_mode = adaptive\nmax_attempts = x\n",
        ),
    ],
    ["no ~/.aws", (aws) => rm(aws, { recursive: true })],
  ];
  for (const [name, breakHome] of homes) {
    test(`work with ${name}`, async (context) => {
      await using box = await startSandbox();
      const home = await mkdtemp(join(tmpdir(), "rolefresh-ambient-"));
      context.after(() => rm(home, { recursive: true, force: true }));
      const aws = join(home, ".aws");
      await mkdir(aws);
      await writeFile(join(aws, "credentials"), "[does-not-exist]\naws_access_key_id = AKIAFROMTHEFILE00000\n");
      await breakHome(aws);
      const input = JSON.stringify({ url: box.stsUrl, token: await box.mintToken(), arn: GCP_ROLE.arn });
      const { stdout, stderr } = await promisify(execFile)(
        process.execPath,
        ["--input-type=module", "-e", SCRIPT, input],
        { env: { ...AMBIENT, HOME: home }, cwd: "/", timeout: 60_000 },
      );
      assert.equal(stderr, "");
      assert.deepEqual(JSON.parse(stdout), {
        principalArn: "arn:aws:sts::123412341234:assumed-role/my-gcp-role-20211031/ambient",
        // The role does not trust itself; what matters is that it was asked, signed with the session's keys.
        chained: "STS_DENIED",
      });
      assert.deepEqual(
        box.callsTo("AssumeRoleWithWebIdentity").map((call) => call.signed),
        [false],
      );
      assert.deepEqual(
        box.callsTo("AssumeRole").map((call) => call.signedBy),
        ["arn:aws:sts::123412341234:assumed-role/my-gcp-role-20211031/ambient"],
      );
    });
  }
});
