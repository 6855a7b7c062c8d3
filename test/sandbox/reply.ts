/** What a sandbox server is about to answer, before a fault may spoil it. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** What the server noted of a call, for tests to look at. Tokens and other secrets are redacted. */
export interface RecordedCall {
  readonly service: "sts" | "metadata";
  /** STS: the `Action`. Metadata: the path behind `/computeMetadata/v1/`. Anything else: the whole path. */
  readonly action: string;
  /** Path and query of the request line; audience and format of a token request stand here. */
  readonly target: string;
  readonly method: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly roleArn: string | undefined;
  readonly sessionName: string | undefined;
  readonly durationSeconds: number | undefined;
  /** Whether the request had an `Authorization` header; AssumeRoleWithWebIdentity must not have one. */
  readonly signed: boolean;
  /** The principal that the signature proved. */
  readonly signedBy: string | undefined;
  /** The region of the signature's scope. */
  readonly region: string | undefined;
  readonly userAgent: string | undefined;
  /** The HTTP status answered; undefined while the answer is out, or when there was none. */
  readonly status: number | undefined;
  /** AWS's error code, when one was answered. */
  readonly errorCode: string | undefined;
}

/** Fields of a call that are known only once it has been worked on. */
export type CallOutcome = { -readonly [Key in "signedBy" | "status" | "errorCode"]: RecordedCall[Key] };

/** A call while it is being worked on. */
export type OpenCall = Omit<RecordedCall, keyof CallOutcome> & CallOutcome;
