import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import type { Deadline } from "../../src/base/deadline.ts";
import { Failure, type FailureCode } from "../../src/base/failure.ts";
import { Secret } from "../../src/base/secret.ts";
import type { RoleArn } from "../../src/config/config.ts";
import { checkToken } from "../../src/sources/jwt.ts";
import { assumeRole, type AssumeRoleRequest } from "../../src/sts/assume-role.ts";
import { assumeRoleWithWebIdentity } from "../../src/sts/assume-role-with-web-identity.ts";
import { openSts, type StsContext } from "../../src/sts/client.ts";
import { getCallerIdentity } from "../../src/sts/get-caller-identity.ts";
import type { RoleSession, SigningKeys } from "../../src/sts/session.ts";
import { BILLING_ROLE, GCP_ROLE, startSandbox, type Fault, type Sandbox } from "../sandbox/sandbox.ts";
import { testWorld } from "../support/test-world.ts";

const REGION = "ap-northeast-1";
const HOUR = 3_600_000;

function roleOf(arn: string): RoleArn {
  const [, partition = "", , , account = "", path = ""] = arn.split(":");
  return { arn, partition, account, name: path.split("/").at(-1) ?? "" };
}

const REQUEST: AssumeRoleRequest = {
  role: roleOf(GCP_ROLE.arn),
  sessionName: "proj.host",
  durationSeconds: undefined,
  policyArns: [],
  policy: undefined,
  endpoint: { region: REGION, url: undefined },
  externalId: undefined,
  tags: [],
  transitiveTagKeys: [],
  sourceIdentity: undefined,
};

/** A deadline that ends when the test says so. */
function deadlineOfTest(): { deadline: Deadline; end: (reason: Failure) => void } {
  const controller = new AbortController();
  return {
    deadline: { signal: controller.signal, remainingMs: () => 60_000, clear: () => undefined },
    end: (reason) => controller.abort(reason),
  };
}

interface Bench {
  readonly box: Sandbox;
  readonly context: StsContext;
  readonly lines: string[];
  readonly pauses: number[];
  readonly end: (reason: Failure) => void;
  readonly webIdentity: (change?: Partial<AssumeRoleRequest>) => Promise<RoleSession>;
  readonly chained: (keys: SigningKeys, change?: Partial<AssumeRoleRequest>) => Promise<RoleSession>;
}

/** A sandbox and clients for it; pauses between attempts are noted and not waited for. */
async function withBench(
  act: (bench: Bench) => Promise<void>,
  options: { now?: Date; totalMs?: number; onLine?: (line: string, bench: Bench) => void } = {},
): Promise<void> {
  await using box = await startSandbox();
  const world = testWorld(options.now === undefined ? {} : { now: options.now });
  const { deadline, end } = deadlineOfTest();
  const lines: string[] = [];
  const pauses: number[] = [];
  const context: StsContext = {
    env: box.env,
    uid: process.geteuid?.(),
    clock: { ...world, sleep: async (ms) => void pauses.push(ms) },
    deadline,
    verbose: (line) => {
      lines.push(line);
      options.onLine?.(line, bench);
    },
    limits: { connectMs: 5000, totalMs: options.totalMs ?? 5000, maxBytes: 1024 * 1024 },
  };
  const clients = openSts(context);
  const bench: Bench = {
    box,
    context,
    lines,
    pauses,
    end,
    webIdentity: async (change) => {
      const text = await box.mintToken();
      const token = checkToken(text, { now: new Date() });
      try {
        return await assumeRoleWithWebIdentity(clients, { ...REQUEST, ...change }, token);
      } catch (error) {
        assertNoSecret(error, text);
        throw error;
      } finally {
        assert.ok(!lines.join("\n").includes(text));
      }
    },
    chained: (keys, change) => assumeRole(clients, { ...REQUEST, role: roleOf(BILLING_ROLE.arn), ...change }, keys),
  };
  try {
    await act(bench);
  } finally {
    clients.close();
  }
}

function assertNoSecret(error: unknown, token: string): void {
  const shown = inspect(error, { depth: 12, showHidden: true });
  for (const part of token.split(".")) assert.ok(!shown.includes(part.slice(0, 24)), shown);
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const outcome: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof Failure, inspect(outcome));
  assert.doesNotMatch(outcome.message, /^[A-Z][a-z]+ [a-z]|\.$|\n/);
  return outcome;
}

describe("a web-identity call", () => {
  test("gives a session, unsigned, with what was configured", async () => {
    await withBench(async ({ box, webIdentity, lines }) => {
      const session = await webIdentity({
        durationSeconds: 900,
        policyArns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
      });
      assert.equal(session.principalArn, "arn:aws:sts::123412341234:assumed-role/my-gcp-role-20211031/proj.host");
      assert.ok(Math.abs(session.clockAheadMs ?? Number.NaN) < 60_000);
      assert.equal(box.callsTo("AssumeRoleWithWebIdentity").length, 1);
      assert.match(
        lines.join("\n"),
        /AssumeRoleWithWebIdentity arn:aws:iam::123412341234:role\/\S+ at http\S+: status 200, request/,
      );
      assert.ok(!lines.join("\n").includes(session.sessionToken.reveal().slice(0, 20)));
    });
  });

  test("refuses a plain-http endpoint that is not loopback before anything is sent", async () => {
    await withBench(async ({ box, webIdentity }) => {
      const failure = await failureOf(webIdentity({ endpoint: { region: REGION, url: "http://192.0.2.1" } }));
      assert.equal(failure.code, "ENDPOINT_REFUSED");
      assert.equal(box.calls.length, 0);
    });
  });

  test("with a clock that is an hour ahead gives a session and says so", async () => {
    await withBench(
      async ({ webIdentity }) => {
        const session = await webIdentity();
        assert.ok(Math.abs((session.clockAheadMs ?? 0) - HOUR) < 60_000);
      },
      { now: new Date(Date.now() + HOUR) },
    );
  });
});

describe("a chained call", () => {
  test("is signed with the source's keys and carries tags, external id and source identity", async () => {
    await withBench(async ({ box, context, webIdentity, chained }) => {
      const source = await webIdentity();
      const session = await chained(source, { tags: [{ key: "team", value: "a b" }], transitiveTagKeys: ["team"] });
      assert.equal(session.principalArn, "arn:aws:sts::999999999999:assumed-role/Billing/proj.host");
      const clients = openSts(context);
      const caller = await getCallerIdentity(clients, REQUEST.endpoint, session);
      clients.close();
      assert.equal(caller.arn, session.principalArn);
      assert.equal(caller.account, "999999999999");
      const [call] = box.callsTo("AssumeRole");
      assert.equal(call?.signedBy, source.principalArn);
      assert.equal(call?.region, REGION);
      assert.equal(call?.parameters["Tags.member.1.Value"], "a b");
      assert.equal(call?.parameters["TransitiveTagKeys.member.1"], "team");
    });
  });

  test("outlives an STS whose clock is an hour away: the SDK signs again by its Date header", async () => {
    await withBench(async ({ box, webIdentity, chained }) => {
      const source = await webIdentity({ durationSeconds: 7200 });
      box.advance(HOUR);
      const session = await chained(source);
      assert.ok(Math.abs((session.clockAheadMs ?? 0) + HOUR) < 60_000);
      assert.ok((session.expiresAt?.getTime() ?? 0) > Date.now() + HOUR);
    });
  });

  test("with unknown keys is denied with a hint at the source profile, and shows none of them", async () => {
    await withBench(async ({ chained }) => {
      const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
      const keys = {
        accessKeyId: "AKIAIOSFODNN7EXAMPLE",
        secretAccessKey: new Secret(secret),
        sessionToken: undefined,
      };
      const failure = await failureOf(chained(keys));
      assert.equal(failure.code, "STS_DENIED");
      assert.match(failure.hint ?? "", /source profile/);
      assert.ok(!inspect(failure, { depth: 12, showHidden: true }).includes(secret));
    });
  });
});

interface FaultCase {
  readonly fault: Fault;
  readonly code: FailureCode;
  readonly says?: RegExp;
  /** `many`: fifteen seconds of pauses. */
  readonly attempts: 1 | "many";
}

const awsError = (code: (Fault & { kind: "aws-error" })["code"]): Fault => ({ kind: "aws-error", code });

const FAULTS: readonly FaultCase[] = [
  { fault: { kind: "reset" }, code: "STS_UNAVAILABLE", says: /ECONNRESET/, attempts: "many" },
  { fault: { kind: "half-body" }, code: "STS_UNAVAILABLE", attempts: "many" },
  { fault: { kind: "garbage" }, code: "STS_INVALID_RESPONSE", attempts: 1 },
  { fault: { kind: "html" }, code: "STS_INVALID_RESPONSE", attempts: 1 },
  { fault: { kind: "body", text: "<a>" }, code: "STS_INVALID_RESPONSE", attempts: 1 },
  { fault: { kind: "body", text: "{}" }, code: "STS_INVALID_RESPONSE", attempts: 1 },
  { fault: { kind: "redirect" }, code: "STS_INVALID_RESPONSE", says: /status 302/, attempts: 1 },
  { fault: { kind: "empty-body" }, code: "STS_INVALID_RESPONSE", says: /no credentials/, attempts: 1 },
  {
    fault: { kind: "huge-body", bytes: 10 * 1024 * 1024 },
    code: "STS_INVALID_RESPONSE",
    says: /1048576 bytes/,
    attempts: 1,
  },
  { fault: { kind: "status", status: 429 }, code: "STS_THROTTLED", attempts: "many" },
  { fault: { kind: "status", status: 500 }, code: "STS_UNAVAILABLE", attempts: "many" },
  { fault: { kind: "status", status: 503 }, code: "STS_UNAVAILABLE", attempts: "many" },
  { fault: { kind: "status", status: 403 }, code: "STS_INVALID_RESPONSE", says: /status 403/, attempts: 1 },
  { fault: { kind: "status", status: 404 }, code: "STS_INVALID_RESPONSE", says: /status 404/, attempts: 1 },
  { fault: awsError("AccessDenied"), code: "STS_DENIED", says: /accounts\.google\.com:oaud = gcp/, attempts: 1 },
  { fault: awsError("ExpiredTokenException"), code: "STS_TOKEN_EXPIRED", says: /timedatectl/, attempts: 1 },
  {
    fault: { kind: "aws-error", code: "InvalidIdentityToken", message: "Incorrect token audience" },
    code: "STS_TOKEN_INVALID",
    says: /InvalidIdentityToken: Incorrect token audience \/ .*built in/,
    attempts: 1,
  },
  // aws/aws-cli#7194 and aws/aws-sdk-php#1858: AWS's own trouble under the name of a permanent fault.
  {
    fault: {
      kind: "aws-error",
      code: "InvalidIdentityToken",
      message:
        "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements",
    },
    code: "STS_UNAVAILABLE",
    attempts: "many",
  },
  { fault: awsError("IDPCommunicationError"), code: "STS_UNAVAILABLE", attempts: "many" },
  { fault: awsError("Throttling"), code: "STS_THROTTLED", attempts: "many" },
  {
    fault: awsError("RegionDisabledException"),
    code: "STS_REGION_DISABLED",
    says: /activate STS in ap-northeast-1/,
    attempts: 1,
  },
  { fault: awsError("MalformedPolicyDocument"), code: "STS_REQUEST_REFUSED", says: /policy_file/, attempts: 1 },
  { fault: awsError("PackedPolicyTooLarge"), code: "STS_REQUEST_REFUSED", says: /packed/, attempts: 1 },
  { fault: awsError("ValidationError"), code: "STS_REQUEST_REFUSED", attempts: 1 },
  { fault: { kind: "past-expiry" }, code: "STS_INVALID_RESPONSE", says: /in the past/, attempts: 1 },
  { fault: { kind: "bad-expiry" }, code: "STS_INVALID_RESPONSE", attempts: 1 },
  { fault: { kind: "no-credentials" }, code: "STS_INVALID_RESPONSE", attempts: 1 },
  {
    fault: { kind: "missing-field", field: "AccessKeyId" },
    code: "STS_INVALID_RESPONSE",
    says: /access key/,
    attempts: 1,
  },
  {
    fault: { kind: "missing-field", field: "SecretAccessKey" },
    code: "STS_INVALID_RESPONSE",
    says: /secret/,
    attempts: 1,
  },
  { fault: { kind: "missing-field", field: "SessionToken" }, code: "STS_INVALID_RESPONSE", says: /token/, attempts: 1 },
  { fault: { kind: "missing-field", field: "Expiration" }, code: "STS_INVALID_RESPONSE", says: /expiry/, attempts: 1 },
  { fault: { kind: "wrong-account" }, code: "STS_INVALID_RESPONSE", says: /not for/, attempts: 1 },
  { fault: { kind: "wrong-role" }, code: "STS_INVALID_RESPONSE", says: /not for/, attempts: 1 },
  { fault: { kind: "hostile-field", field: "accessKeyId" }, code: "STS_INVALID_RESPONSE", attempts: 1 },
  { fault: { kind: "hostile-field", field: "secretAccessKey" }, code: "STS_INVALID_RESPONSE", attempts: 1 },
  { fault: { kind: "hostile-field", field: "sessionToken" }, code: "STS_INVALID_RESPONSE", attempts: 1 },
  { fault: { kind: "hostile-field", field: "arn" }, code: "STS_INVALID_RESPONSE", attempts: 1 },
];

describe("an STS that misbehaves", () => {
  for (const { fault, code, says, attempts } of FAULTS) {
    test(`${JSON.stringify(fault)} is ${code} after ${attempts === 1 ? "one attempt" : "many attempts"}`, async () => {
      await withBench(async ({ box, webIdentity, pauses }) => {
        box.misbehave("sts", fault);
        const failure = await failureOf(webIdentity());
        assert.equal(failure.code, code, inspect(failure));
        assert.notEqual(failure.hint, undefined);
        if (says !== undefined) assert.match(`${failure.message} / ${failure.hint}`, says);
        assert.equal(box.callsTo("AssumeRoleWithWebIdentity").length, pauses.length + 1);
        assert.equal(box.callsTo("/_sandbox/trap").length, 0);
        for (const pause of pauses) assert.ok(pause >= 50 && pause <= 25_000);
        const sum = pauses.reduce((total, pause) => total + pause, 0);
        if (attempts === 1) assert.equal(pauses.length, 0);
        else assert.ok(sum >= 15_000 && sum < 60_000 && pauses.length >= 4, `${pauses.length} pauses, ${sum} ms`);
      });
    });
  }

  for (const fault of [
    { kind: "status", status: 500 },
    { kind: "status", status: 503, retryAfterSeconds: 1 },
    awsError("IDPCommunicationError"),
    { kind: "reset" },
  ] as const) {
    test(`twice ${JSON.stringify(fault)} and then a good answer is a session`, async () => {
      await withBench(async ({ box, webIdentity, lines }) => {
        box.misbehave("sts", fault, { times: 2 });
        assert.match((await webIdentity()).accessKeyId, /^ASIA/);
        assert.equal(box.callsTo("AssumeRoleWithWebIdentity").length, 3);
        assert.match(lines.join("\n"), /attempt 1 failed \([\w ]+\), retrying in \d+ ms/);
      });
    });
  }

  for (const fault of [
    { kind: "status", status: 503 },
    awsError("IDPCommunicationError"),
    awsError("Throttling"),
    { kind: "reset" },
  ] as const) {
    test(`${JSON.stringify(fault)} that lasts for five seconds is waited for`, async () => {
      const onLine = (_line: string, { box, pauses }: Bench) => {
        if (pauses.reduce((total, pause) => total + pause, 0) >= 5000) box.misbehave("sts", undefined);
      };
      await withBench(
        async ({ box, webIdentity }) => {
          box.misbehave("sts", fault);
          assert.match((await webIdentity()).accessKeyId, /^ASIA/);
        },
        { onLine },
      );
    });
  }

  test("a name that the resolver does not know yet is asked for again", async () => {
    await withBench(async ({ webIdentity, pauses }) => {
      const failure = await failureOf(webIdentity({ endpoint: { region: REGION, url: "https://sts.invalid" } }));
      assert.equal(failure.code, "STS_UNAVAILABLE");
      assert.ok(pauses.reduce((total, pause) => total + pause, 0) >= 15_000);
    });
  });

  test("a permanent fault is never tried again (systemd#42987: MaxSessionDuration retried twelve times)", async () => {
    await withBench(async ({ box, webIdentity }) => {
      const failure = await failureOf(webIdentity({ durationSeconds: 43_201 }));
      assert.equal(failure.code, "STS_REQUEST_REFUSED");
      assert.equal(box.callsTo("AssumeRoleWithWebIdentity").length, 1);
    });
  });

  for (const kind of ["hang", "drip"] as const) {
    test(`an attempt that ${kind}s is given up after its own limit and tried again`, async () => {
      await withBench(
        async ({ box, webIdentity }) => {
          box.misbehave("sts", { kind });
          const failure = await failureOf(webIdentity());
          assert.equal(failure.code, "STS_UNAVAILABLE");
          assert.match(failure.message, /timed out while waiting for the response/);
          assert.ok(box.callsTo("AssumeRoleWithWebIdentity").length >= 5);
        },
        { totalMs: 60 },
      );
    });
  }

  test("the deadline cuts a call that hangs, and names it", async () => {
    await withBench(async ({ box, end, webIdentity }) => {
      box.misbehave("sts", { kind: "hang" });
      const arrived = box.nextCall("AssumeRoleWithWebIdentity");
      const call = failureOf(webIdentity());
      await arrived;
      end(new Failure("TIMEOUT", "timed out after 1 s", { hint: "raise --timeout" }));
      const failure = await call;
      assert.equal(failure.code, "TIMEOUT");
      assert.match(
        failure.message,
        /AssumeRoleWithWebIdentity of arn:\S+ at http\S+: no response: timed out after 1 s/,
      );
    });
  });

  for (const kind of ["drip", "huge-body"] as const) {
    test(`an interruption cuts a ${kind} whose headers are here already`, async () => {
      await withBench(
        async ({ box, webIdentity }) => {
          box.misbehave("sts", { kind });
          const failure = await failureOf(webIdentity());
          assert.equal(failure.code, "INTERRUPTED");
        },
        {
          onLine: (line, { end }) => {
            if (line.includes("status 200")) end(new Failure("INTERRUPTED", "interrupted by SIGTERM"));
          },
        },
      );
    });
  }

  test("a refused connection and TLS to a plain port are told apart", async () => {
    await withBench(async ({ box, webIdentity }) => {
      const tls = await failureOf(
        webIdentity({ endpoint: { region: REGION, url: box.stsUrl.replace("http:", "https:") } }),
      );
      assert.equal(tls.code, "STS_INVALID_RESPONSE");
      assert.match(tls.message, /127\.0\.0\.1:\d+ does not speak TLS \(\w+\)$/);
      assert.match(tls.hint ?? "", /check the host, port and any proxy/);
      await box.pause("sts");
      const refused = await failureOf(webIdentity());
      assert.equal(refused.code, "STS_UNAVAILABLE");
      assert.match(refused.message, /ECONNREFUSED/);
    });
  });

  test("a region that is no host name is refused before anything is sent", async () => {
    await withBench(async ({ context }) => {
      const clients = openSts({ ...context, env: {} });
      const keys = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: new Secret("x"), sessionToken: undefined };
      const failure = await failureOf(getCallerIdentity(clients, { region: "not a region!", url: undefined }, keys));
      clients.close();
      assert.equal(failure.code, "ENDPOINT_REFUSED");
    });
  });
});
