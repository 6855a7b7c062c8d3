import { renderInstant } from "../../base/duration.ts";
import type { Deadline } from "../../base/deadline.ts";
import { Failure } from "../../base/failure.ts";
import type { IdentitySource, ProfileSpec } from "../../config/config.ts";
import { runProgram } from "../../base/program.ts";
import type { Environment, World } from "../../world.ts";

/** Names that hold secrets in the environments rolefresh runs in; a hook finds the new keys in the file, by its profile. */
const SECRET_NAMES =
  /^(AWS_(ACCESS_KEY(_ID)?|SECRET_(ACCESS_)?KEY|SESSION_TOKEN|SECURITY_TOKEN|ID_TOKEN|CONTAINER_AUTHORIZATION_TOKEN)|ACTIONS_ID_TOKEN_REQUEST_TOKEN|IDENTITY_HEADER)$/;

/**
 * Runs a profile's `on_refresh` command after the write, as certbot's deploy hook: under `/bin/sh -c`, with
 * `ROLEFRESH_PROFILE`, `ROLEFRESH_EXPIRES_AT` and `ROLEFRESH_CREDENTIALS_FILE` in its environment and no secrets. It and
 * its children are killed at the deadline.
 *
 * @returns the failure to report; what was written stays
 * @throws INTERRUPTED
 */
export async function runHook(
  spec: ProfileSpec,
  expiresAt: Date,
  deadline: Deadline,
  world: Pick<World, "env" | "cwd">,
): Promise<Failure | undefined> {
  if (spec.onRefresh === undefined) return undefined;
  const extra = {
    ROLEFRESH_PROFILE: spec.profile,
    ROLEFRESH_EXPIRES_AT: renderInstant(expiresAt),
    ROLEFRESH_CREDENTIALS_FILE: spec.credentialsFile,
  };
  const context = {
    env: withoutSecrets(world.env, spec),
    deadline,
    cwd: world.cwd,
  };
  try {
    const end = await runProgram(
      "/bin/sh",
      ["-c", spec.onRefresh],
      context,
      "on_refresh has not ended",
      extra,
      "effect",
    );
    switch (end.kind) {
      case "exit":
        return end.status === 0 ? undefined : failureOf(spec, `failed with exit ${end.status}${said(end.complaint)}`);
      case "signal":
        return failureOf(spec, `was ended by ${end.signal}${said(end.complaint)}`);
      case "not-started":
        return failureOf(spec, `cannot be run: /bin/sh: ${end.errno}`);
      case "too-much":
        return failureOf(spec, "was killed: it printed too much");
    }
  } catch (error) {
    if (!(error instanceof Failure) || error.code === "INTERRUPTED") throw error;
    return failureOf(spec, "was killed: it did not end within --timeout");
  }
}

function withoutSecrets(env: Environment, { source }: ProfileSpec): Environment {
  const configured = new Set(source.kind === "web-identity" ? secretVariables(source.identity) : []);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !configured.has(name) && !SECRET_NAMES.test(name)));
}

/** The variables that the config itself names as holding a token. */
function secretVariables(identity: IdentitySource): readonly string[] {
  if ("variable" in identity) return [identity.variable];
  if (identity.kind !== "url") return [];
  return identity.headers.flatMap(({ template }) =>
    [...template.matchAll(/\{env:(\w+)\}/g)].map(([, name = ""]) => name),
  );
}

function failureOf(spec: ProfileSpec, what: string): Failure {
  return new Failure("HOOK_FAILED", `profile '${spec.profile}': refreshed, but its on_refresh command ${what}`, {
    hint: "the new credentials are in the file; run the command by hand, it is not tried again before the next refresh",
  });
}

function said(complaint: string): string {
  return complaint === "" ? "" : `: ${complaint}`;
}
