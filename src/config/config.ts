/** The checked configuration: complete, with absolute paths. Made only in `validate.ts`. */

/** An IAM role's ARN, taken apart. `name` is the last part of the path, which is what STS shows in `assumed-role/NAME/…`. */
export interface RoleArn {
  readonly arn: string;
  readonly partition: string;
  readonly account: string;
  readonly name: string;
}

/** Where the identity token comes from. */
export type IdentitySource =
  | { readonly kind: "gcp-metadata"; readonly audience: string; readonly serviceAccount: string }
  | {
      readonly kind: "gcp-adc" | "gcloud";
      readonly audience: string | undefined;
      /** Whose token is wanted, by impersonation; absent: that of the credentials themselves. */
      readonly serviceAccount: string | undefined;
    }
  | { readonly kind: "file"; readonly path: string; readonly audience: string | undefined }
  | { readonly kind: "env"; readonly variable: string; readonly audience: string | undefined }
  | { readonly kind: "command"; readonly command: string; readonly audience: string | undefined }
  | {
      readonly kind: "url";
      readonly url: string;
      /** `{env:NAME}` in a template stands for the variable's value. */
      readonly headers: readonly { readonly name: string; readonly template: string }[];
      /** Path of the token in the JSON response: `data.tokens[0]`; absent: the response is the token. */
      readonly jsonPath: string | undefined;
      readonly audience: string | undefined;
    }
  | { readonly kind: "github-actions"; readonly audience: string }
  | { readonly kind: "gitlab"; readonly variable: string; readonly audience: string | undefined }
  | { readonly kind: "azure"; readonly audience: string | undefined; readonly clientId: string | undefined }
  /** Without a path: `AWS_WEB_IDENTITY_TOKEN_FILE`, else the usual places. */
  | { readonly kind: "kubernetes"; readonly path: string | undefined; readonly audience: string | undefined };

/** A second factor: its device, and the shell command that prints its next code. */
export interface Mfa {
  /** An ARN, or the number on a hardware device. */
  readonly serial: string;
  readonly command: string;
}

/** Parameters of AssumeRole besides the role. */
export interface AssumeRoleOptions {
  readonly externalId: string | undefined;
  /** Session tags in the order they were written. */
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly transitiveTagKeys: readonly string[];
  readonly sourceIdentity: string | undefined;
  readonly mfa: Mfa | undefined;
}

/** AWS's names for this machine's own credentials (`credential_source` of `~/.aws/config`). */
export type CredentialSource = "Environment" | "Ec2InstanceMetadata" | "EcsContainer";

/** Where a SAML response comes from. */
export type AssertionSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "command"; readonly command: string };

/**
 * How a profile gets its credentials. `aws-profile` and `credential-source` call AssumeRole if the profile has a role, and
 * pass the credentials through if not; `session` is GetSessionToken and never has one.
 */
export type RoleSource =
  | { readonly kind: "web-identity"; readonly identity: IdentitySource }
  | {
      readonly kind: "saml";
      readonly assertion: AssertionSource;
      /** Absent: the one that the assertion names beside the role. */
      readonly principalArn: string | undefined;
    }
  | ({ readonly kind: "source-profile"; readonly sourceProfile: string } & AssumeRoleOptions)
  | ({ readonly kind: "credential-source"; readonly credentialSource: CredentialSource } & AssumeRoleOptions)
  /** `awsProfile` is a profile of `~/.aws/config`; the SDK resolves it. */
  | ({ readonly kind: "aws-profile"; readonly awsProfile: string } & AssumeRoleOptions)
  | { readonly kind: "session"; readonly sourceProfile: string; readonly mfa: Mfa | undefined };

/** Where and how STS is called for a profile; what is absent is decided at the call. */
export interface StsEndpoint {
  readonly region: string;
  /** Whether the configuration names the region; else it is the environment's, or one of the role's partition. */
  readonly isRegionConfigured?: boolean;
  /** Absent: the region's own endpoint, by the SDK's rules. */
  readonly url: string | undefined;
  /** The configured `use_fips_endpoint`; absent: `AWS_USE_FIPS_ENDPOINT` decides. */
  readonly useFips?: boolean | undefined;
  /** The configured `ca_bundle`, absolute; absent: `AWS_CA_BUNDLE`, else Node's own list. */
  readonly caBundle?: string | undefined;
}

/** One checked section of the configuration. */
export interface ProfileSpec {
  /** The exact name of the section in the credentials file. */
  readonly profile: string;
  /** Absent for `session` and for sources without a `role_arn`. */
  readonly role: RoleArn | undefined;
  readonly source: RoleSource;
  /** With placeholders `{profile} {hostname} {project} {instance}`; absent: the default of the source. */
  readonly sessionName: string | undefined;
  /** Absent: STS's own default, 3600 s for a role. */
  readonly durationSeconds: number | undefined;
  /** Expected time from issue to expiry; undefined where the source decides it. */
  readonly lifetimeMs: number | undefined;
  readonly policyArns: readonly string[];
  readonly policyFile: string | undefined;
  readonly endpoint: StsEndpoint;
  /** Absent: half of the lifetime. */
  readonly refreshBeforeMs: number | undefined;
  /** How often `watch` asks a source whose keys have no expiry. */
  readonly recheckMs: number;
  readonly onRefresh: string | undefined;
  /** A failed refresh is a warning while the old credentials are valid. */
  readonly lenient: boolean;
  /** Absolute, symlinks not yet resolved. */
  readonly credentialsFile: string;
  readonly overwrite: boolean;
  readonly writeMode: "atomic" | "in-place";
  /** Where it is configured, for messages: `/home/u/.aws/rolefresh.ini:12`, or `the command line`. */
  readonly origin: string;
}

/** What can be checked across profiles, even if a profile has other issues. */
export type ProfileReference = Pick<
  ProfileSpec,
  "profile" | "source" | "durationSeconds" | "credentialsFile" | "origin"
>;

/** What can still be checked of profiles that have issues. */
export interface References {
  /** Every configured profile. */
  readonly names: readonly string[];
  /** Those whose source and file are known. */
  readonly profiles: readonly ProfileReference[];
}

/** A configuration without issues. */
export interface Config {
  /** The file it was read from; undefined for the config-free form. */
  readonly file: string | undefined;
  readonly profiles: readonly ProfileSpec[];
  /** The variables in its paths, except `HOME`: a scheduled job needs them, too. */
  readonly pathVariables: readonly string[];
}

/** The environment: four variables count (README), and those that paths name with `$NAME`. */
export type ConfigEnvironment = Readonly<Record<string, string | undefined>>;

/** What a configuration depends on besides its file. */
export interface ConfigWorld {
  readonly env: ConfigEnvironment;
  readonly home: string | undefined;
  readonly cwd: string | undefined;
  readonly uid: number | undefined;
  /** `--timeout`, for a file system that does not respond. */
  readonly timeoutMs?: number | undefined;
  readonly interrupted?: AbortSignal;
}
