/**
 * The part of the SDK that rolefresh calls. Named one by one, so that the bundle leaves the rest out, and loaded by those
 * who call: it costs tens of milliseconds.
 */
export {
  AssumeRoleCommand,
  AssumeRoleWithSAMLCommand,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
} from "@aws-sdk/client-sts";
