import { POLICY_FORMATS } from "../../trust-policy/render.ts";
import type { TrustPolicyInvocation } from "../invocation.ts";
import {
  type CommandLine,
  type Flags,
  grouped,
  onProfiles,
  type Parsed,
  readOnProfiles,
  readText,
  usage,
} from "../options.ts";

const FLAGS: Flags = {
  format: {
    type: "string",
    requiresArg: true,
    describe: `how to print the policy: ${POLICY_FORMATS.join(", ")} (default: json)`,
  },
  check: {
    type: "string",
    requiresArg: true,
    describe: "instead say whether this policy lets the identity in: exit 0 or 77 (- for standard input)",
  },
  sub: {
    type: "string",
    requiresArg: true,
    describe: "without asking for a token: its subject (Google: the unique ID)",
  },
  aud: { type: "string", requiresArg: true, describe: "its audience (default: the profile's)" },
  azp: { type: "string", requiresArg: true, describe: "its authorized party (gcp-metadata: the subject)" },
  iss: {
    type: "string",
    requiresArg: true,
    describe: "its issuer (default: that of the identity, else https://accounts.google.com)",
  },
};

/** `rolefresh trust-policy [PROFILE]`; Failure USAGE for claims that do not go together. */
export const trustPolicyCommandLine: CommandLine = {
  command: "trust-policy [profiles..]",
  describe: "print the trust policy that the role of a profile needs, or check one",
  build: (command) =>
    onProfiles(command.options(grouped(FLAGS, "Options of trust-policy:"))).positional("profiles", {
      describe: "the profile whose role it is; not needed when only one is configured",
    }),
  read,
};

function read(parsed: Parsed): TrustPolicyInvocation {
  const { global, config, profiles } = readOnProfiles(parsed);
  if (profiles.length > 1) throw usage(`trust-policy takes one profile, not ${profiles.length}`);
  const given = readText(parsed, "format");
  const format = POLICY_FORMATS.find((known) => known === (given ?? "json"));
  if (format === undefined) throw usage(`--format ${given} is not known`, `one of ${POLICY_FORMATS.join(", ")}`);
  const check = readText(parsed, "check");
  if (check !== undefined && given !== undefined) throw usage("--check and --format exclude each other");
  return { kind: "trust-policy", global, config, profile: profiles[0], format, check, claims: readClaims(parsed) };
}

function readClaims(parsed: Parsed): TrustPolicyInvocation["claims"] {
  const subject = readText(parsed, "sub");
  const [audience, authorizedParty, issuer] = ["aud", "azp", "iss"].map((name) => readText(parsed, name));
  if (subject !== undefined) return { subject, audience, authorizedParty, issuer };
  const alone = ["aud", "azp", "iss"].find((name) => readText(parsed, name) !== undefined);
  if (alone === undefined) return undefined;
  throw usage(`--${alone} goes with --sub`, "give the token's subject too: --sub SUBJECT");
}
