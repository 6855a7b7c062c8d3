import type { ServerResponse } from "node:http";
import { CallLog } from "./call-log.ts";
import { answerControl, isControl } from "./control.ts";
import { BILLING_ROLE, DEFAULT_SERVICE_ACCOUNT, GCP_ROLE } from "./default-world.ts";
import { FaultRules, type Fault, type FaultOptions } from "./fault.ts";
import { signToken, type Signer, type TokenClaims } from "./google-token.ts";
import { startLoopbackServer, type ReceivedRequest } from "./loopback-server.ts";
import type { Machine, SandboxServiceAccount } from "./machine.ts";
import { answerMetadata, recordOfMetadata } from "./metadata-service.ts";
import {
  addUser,
  splitArn,
  type AccessKey,
  type Realm,
  type SandboxOidcProvider,
  type SandboxRole,
  type SandboxUser,
} from "./realm.ts";
import type { OpenCall, RecordedCall, Reply } from "./reply.ts";
import { claimsFor } from "./service-accounts.ts";
import { send, sendSpoiled } from "./spoil.ts";
import { answerSts, parametersOf, recordOf } from "./sts-service.ts";

export type { Fault, FaultOptions } from "./fault.ts";
export type { Signer, TokenClaims } from "./google-token.ts";
export type { SandboxServiceAccount } from "./machine.ts";
export type { SandboxOidcProvider, SandboxRole, SandboxUser } from "./realm.ts";
export type { RecordedCall } from "./reply.ts";
export type { TrustPolicy, TrustStatement } from "./trust-policy.ts";
export { BILLING_ROLE, DEFAULT_SERVICE_ACCOUNT, GCP_ROLE } from "./default-world.ts";

export type SandboxTarget = "sts" | "metadata";

export interface SandboxOptions {
  /** Default `demo-project`. */
  readonly project?: string;
  /** Default `legacy-vm.c.PROJECT.internal`. Given as undefined: no instance, which makes the platform Cloud Run. */
  readonly hostname?: string | undefined;
  /** Default `gce`. */
  readonly platform?: Machine["platform"];
  /** The first is `default`; none at all is a VM without a service account. */
  readonly serviceAccounts?: readonly SandboxServiceAccount[];
  /** The audience of tokens made by `mintToken`; default `gcp`. */
  readonly audience?: string;
  /** Instead of the two default roles. */
  readonly roles?: readonly SandboxRole[];
  readonly users?: readonly SandboxUser[];
  /** OpenID Connect providers beside Google; the sandbox's own issuer with client `sts.amazonaws.com` is always there. */
  readonly oidcProviders?: readonly SandboxOidcProvider[];
  /** The servers' clock; the machine's when absent. `advance` adds to it. */
  readonly now?: () => Date;
  /** Delay of every answer. */
  readonly latencyMs?: number;
  readonly stsPort?: number;
  readonly metadataPort?: number;
}

export interface Sandbox extends AsyncDisposable {
  /** For `AWS_ENDPOINT_URL_STS`. */
  readonly stsUrl: string;
  /** `127.0.0.1:PORT`, for `GCE_METADATA_HOST`. */
  readonly metadataHost: string;
  /** An OpenID Connect issuer: serves `/.well-known/openid-configuration` and its JWKS. */
  readonly issuerUrl: string;
  /** What a child process needs to talk to the sandbox and to nothing else. No region: that is for the program to find. */
  readonly env: Readonly<Record<string, string>>;
  /** Every call so far, in order of arrival. */
  readonly calls: readonly RecordedCall[];
  /** Calls of an STS action (`AssumeRole`) or of a metadata path or its end (`identity`, `project/project-id`). */
  callsTo(action: string): readonly RecordedCall[];
  /** The next call of that action to arrive, from now on. It need not be answered yet. */
  nextCall(action: string): Promise<RecordedCall>;
  /** A token of the first service account; claims are set over the good ones, `undefined` leaves one out. */
  mintToken(claims?: TokenClaims, signer?: Signer): Promise<string>;
  addRole(role: SandboxRole): void;
  addUser(user: SandboxUser): void;
  /** What is known of an access key that the sandbox issued: expiry and principal. */
  keyOf(accessKeyId: string): AccessKey | undefined;
  /** Sets a fault; undefined lifts it (without an action: all of them). */
  misbehave(target: SandboxTarget, fault: Fault | undefined, options?: FaultOptions): void;
  /** Moves the servers' clock. */
  advance(ms: number): void;
  /** Stops listening (callers get ECONNREFUSED) until `resume`. */
  pause(target: SandboxTarget): Promise<void>;
  resume(target: SandboxTarget): Promise<void>;
  /** Cuts every connection, hung ones too. */
  stop(): Promise<void>;
}

function machineOf(options: SandboxOptions, now: () => Date): Machine {
  const project = options.project ?? "demo-project";
  const hasInstance = !("hostname" in options) || options.hostname !== undefined;
  return {
    now,
    platform: options.platform ?? (hasInstance ? "gce" : "cloud-run"),
    project,
    projectNumber: 123_456_789_012,
    hostname: hasInstance ? (options.hostname ?? `legacy-vm.c.${project}.internal`) : undefined,
    zone: "asia-northeast1-b",
    instanceId: "4567890123456789012",
    serviceAccounts: options.serviceAccounts ?? [DEFAULT_SERVICE_ACCOUNT],
  };
}

/** Starts both servers on loopback. Without options it is the world of `default-world.ts`. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  let advancedMs = 0;
  const clock = options.now ?? (() => new Date());
  const now = (): Date => new Date(clock().getTime() + advancedMs);
  const callLog = new CallLog();
  const faults = { sts: new FaultRules(), metadata: new FaultRules() };
  const machine = machineOf(options, now);
  const providers = [...(options.oidcProviders ?? [])];
  const realm: Realm = { now, roles: new Map(), providers, keys: new Map(), mfaDevices: new Map() };
  const addRole = (role: SandboxRole): void => {
    if (splitArn(role.arn) === undefined) throw new TypeError(`not the ARN of a role: ${role.arn}`);
    realm.roles.set(role.arn, role);
  };
  for (const role of options.roles ?? [GCP_ROLE, BILLING_ROLE]) addRole(role);
  for (const user of options.users ?? []) addUser(realm, user);

  const serve = async (
    target: SandboxTarget,
    call: OpenCall,
    response: ServerResponse,
    answer: (fault: Fault | undefined) => Promise<Reply>,
  ): Promise<void> => {
    const lasting = options.latencyMs === undefined ? undefined : ({ kind: "latency", ms: options.latencyMs } as const);
    const applied = faults[target].take(call.action) ?? (lasting && { fault: lasting });
    callLog.add(call);
    const trap = `http://127.0.0.1:${sts.port}/_sandbox/trap`;
    call.status = await sendSpoiled(response, applied, trap, () => answer(applied?.fault));
  };

  const sts = await startLoopbackServer(options.stsPort ?? 0, async (request: ReceivedRequest, response) => {
    if (isControl(request)) {
      send(response, await answerControl(sandbox, request));
      return;
    }
    const parameters = parametersOf(request);
    const call = recordOf(request, parameters);
    await serve("sts", call, response, (fault) => answerSts(realm, request, parameters, fault, call));
  });
  const metadata = await startLoopbackServer(options.metadataPort ?? 0, async (request, response) => {
    const call = recordOfMetadata(request);
    await serve("metadata", call, response, (fault) => answerMetadata(machine, request, fault));
  });
  const servers = { sts, metadata };
  const stsUrl = `http://127.0.0.1:${sts.port}`;
  const metadataHost = `127.0.0.1:${metadata.port}`;
  providers.push({ issuer: stsUrl, clientIds: ["sts.amazonaws.com"] });
  const stop = async (): Promise<void> => {
    await Promise.all([sts.pause(), metadata.pause()]);
  };

  const sandbox: Sandbox = {
    stsUrl,
    metadataHost,
    issuerUrl: stsUrl,
    env: {
      AWS_ENDPOINT_URL_STS: stsUrl,
      GCE_METADATA_HOST: metadataHost,
      // So that no SDK goes looking for 169.254.169.254.
      AWS_EC2_METADATA_DISABLED: "true",
    },
    calls: callLog.calls,
    callsTo: (action) => callLog.calls.filter((call) => CallLog.isOf(call, action)),
    nextCall: (action) => callLog.next(action),
    mintToken: (claims = {}, signer = "google") => {
      const account = machine.serviceAccounts[0] ?? DEFAULT_SERVICE_ACCOUNT;
      return signToken({ ...claimsFor(machine, account, options.audience ?? "gcp", false), ...claims }, signer);
    },
    addRole,
    addUser: (user) => addUser(realm, user),
    keyOf: (accessKeyId) => realm.keys.get(accessKeyId),
    misbehave: (target, fault, faultOptions = {}) => faults[target].set(fault, faultOptions),
    advance: (ms) => {
      advancedMs += ms;
    },
    pause: (target) => servers[target].pause(),
    resume: (target) => servers[target].resume(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
  return sandbox;
}
