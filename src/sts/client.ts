import type * as Sdk from "./sdk.ts";
import type { Deadline } from "../base/deadline.ts";
import { openOutbound, type Outbound } from "../net/outbound.ts";
import type { StsEndpoint } from "../config/config.ts";
import type { Clock, Environment } from "../base/world.ts";
import { resolveEndpoint, type ResolvedEndpoint } from "./endpoint.ts";
import { isVerificationKeyFault, toFailure, wordOf } from "./fault.ts";
import { dateOf, type HttpHead } from "../net/http.ts";
import { FEWEST_ATTEMPTS, sdkRetryStrategy } from "../net/retry-policy.ts";
import type { SigningKeys } from "./session.ts";
import { type CallOptions, Transport, type TransportLimits } from "../net/sdk-transport.ts";

/** What a call of STS needs of the run. */
export interface StsContext {
  /** The effective user id; undefined where files have no owners. */
  readonly uid: number | undefined;
  readonly env: Environment;
  readonly clock: Clock;
  readonly deadline: Deadline;
  /** Takes a line for `--verbose`; it never holds a token or key. */
  readonly verbose: (line: string) => void;
  /** The run's connections, which their owner closes; absent: own ones, closed with these clients. */
  readonly outbound?: Outbound;
  /** Other limits for one attempt, in tests. */
  readonly limits?: TransportLimits;
}

/** One call, before it is sent. */
interface StsCall<Output> {
  readonly action: string;
  /** What the call is for, in messages: the role's ARN. */
  readonly subject: string;
  readonly endpoint: StsEndpoint;
  /** Absent: the request is not signed. */
  readonly keys: SigningKeys | undefined;
  /** The hint when STS denies: what the policy must allow. */
  readonly deniedHint: string;
  /** The hint when STS calls the token invalid: what IAM must know. */
  readonly tokenHint?: string | undefined;
  readonly send: (sdk: typeof Sdk, client: Sdk.STSClient, options: CallOptions) => Promise<Output>;
}

/** The output, with both clocks, so that a wrong one is noticed. */
interface StsResponse<Output> {
  readonly output: Output;
  /** STS's time by its `Date` header. */
  readonly stsTime: Date | undefined;
  /** This machine's time when the response arrived. */
  readonly receivedAt: Date;
}

/** The STS clients of a run (`watch`: of a round): one pool of connections, one SDK client for each endpoint and signer. */
export interface StsClients {
  readonly context: StsContext;
  /** Loads what a call to this endpoint needs; without it the first call does. Throws nothing that the call would not. */
  readonly prepare: (endpoint: StsEndpoint) => Promise<void>;
  /** Calls STS, with the SDK's retries. @throws Failure STS_*, ENDPOINT_REFUSED, TIMEOUT or INTERRUPTED. */
  readonly call: <Output>(call: StsCall<Output>) => Promise<StsResponse<Output>>;
  /** Closes the connections; call it when the run is over, or they keep the process alive. */
  readonly close: () => void;
}

/** Opens nothing yet: the SDK is loaded and the first connection made at the first call. */
export function openSts(context: StsContext): StsClients {
  const outbound =
    context.outbound ?? openOutbound({ env: context.env, uid: context.uid, signal: context.deadline.signal });
  const clients = new Map<string, Sdk.STSClient>();
  let loading: Promise<typeof Sdk> | undefined;
  return {
    context,
    prepare: async (endpoint) => {
      const { url } = resolveEndpoint(endpoint, context.env);
      await Promise.all([(loading ??= load()), url?.startsWith("http:") === true ? undefined : import("node:https")]);
    },
    call: async (call) => {
      const endpoint = resolveEndpoint(call.endpoint, context.env);
      let where = endpoint.url ?? `the STS of ${endpoint.region}`;
      const onProxy = (proxy: string) => {
        where = `${endpoint.url ?? `the STS of ${endpoint.region}`} through the proxy ${proxy}`;
      };
      const sdk = await (loading ??= load());
      const { caBundle } = call.endpoint;
      const key = JSON.stringify([endpoint, caBundle, call.keys?.accessKeyId]);
      const client =
        clients.get(key) ??
        makeClient(sdk, context, {
          endpoint,
          keys: call.keys,
          transport: new Transport(outbound, { caBundle, limits: context.limits }),
        });
      clients.set(key, client);
      let stsTime: Date | undefined;
      let receivedAt = context.clock.now();
      const onHead = (head: HttpHead) => {
        stsTime = dateOf(head.headers);
        receivedAt = context.clock.now();
        context.verbose(`sts: ${call.action} ${call.subject} at ${where}: ${describeHead(head)}`);
      };
      try {
        const output = await call.send(sdk, client, { abortSignal: context.deadline.signal, onHead, onProxy });
        return { output, stsTime, receivedAt };
      } catch (error) {
        const { region, useFips } = endpoint;
        throw toFailure(error, { ...call, where, region, useFips, deadline: context.deadline });
      }
    },
    close: () => {
      if (context.outbound === undefined) outbound.close();
    },
  };
}

/** Loaded late: the SDK costs up to tens of milliseconds, and most runs have nothing due. */
async function load(): Promise<typeof Sdk> {
  return import("./sdk.ts");
}

interface ClientOptions {
  readonly endpoint: ResolvedEndpoint;
  readonly keys: SigningKeys | undefined;
  readonly transport: Transport;
}

/**
 * Every option that the SDK would otherwise look up in the environment, `~/.aws/config` and `~/.aws/credentials` is given
 * here: the very files that rolefresh writes or that a user broke must not decide whether it works (aws-sdk-php#1725,
 * gimme-aws-creds#483). `client-sts/dist-es/runtimeConfig.js` lists the look-ups.
 */
function makeClient(sdk: typeof Sdk, context: StsContext, { endpoint, keys, transport }: ClientOptions): Sdk.STSClient {
  const client = new sdk.STSClient({
    region: endpoint.region,
    ...(endpoint.url === undefined ? {} : { endpoint: endpoint.url }),
    ignoreConfiguredEndpointUrls: true,
    useFipsEndpoint: endpoint.useFips,
    useDualstackEndpoint: endpoint.useDualstack,
    credentials: keys === undefined ? refuseToSign : sdkKeys(keys),
    disableClockSkewCorrection: false,
    authSchemePreference: [],
    sigv4aSigningRegionSet: [],
    defaultsMode: "standard",
    retryMode: "standard",
    maxAttempts: FEWEST_ATTEMPTS,
    retryStrategy: sdkRetryStrategy(context.deadline, context.clock, (error, attempt, pauseMs) => {
      context.verbose(`sts: attempt ${attempt} failed (${wordOf(error)}), retrying in ${Math.round(pauseMs)} ms`);
    }),
    userAgentAppId: async () => undefined,
    customUserAgent: "rolefresh",
    requestHandler: transport,
  });
  // STS calls a provider whose keys it could not fetch "InvalidIdentityToken", which the SDK takes for permanent
  // (aws-cli#7194, aws-sdk-php#1858). Inside the retries, outside the deserializer that throws it.
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (error instanceof Error && isVerificationKeyFault(error)) Object.assign(error, { $retryable: {} });
        throw error;
      }
    },
    { step: "finalizeRequest", priority: "low", name: "verificationKeyIsTransient" },
  );
  return client;
}

async function refuseToSign(): Promise<never> {
  throw new Error("a web-identity call is never signed");
}

function sdkKeys(keys: SigningKeys): { accessKeyId: string; secretAccessKey: string; sessionToken?: string } {
  const pair = { accessKeyId: keys.accessKeyId, secretAccessKey: keys.secretAccessKey.reveal() };
  return keys.sessionToken === undefined ? pair : { ...pair, sessionToken: keys.sessionToken.reveal() };
}

function describeHead(head: HttpHead): string {
  const id = head.headers["x-amzn-requestid"];
  return `status ${head.status}${typeof id === "string" && /^[\w-]{1,64}$/.test(id) ? `, request ${id}` : ""}`;
}
