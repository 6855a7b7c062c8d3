import { resolve } from "node:path";

import { usualCredentialsFile } from "../../base/expand-path.ts";
import type { World } from "../../base/world.ts";
import { didYouMean } from "../../config/did-you-mean.ts";
import type { Evidence } from "../evidence.ts";
import { finding, type Finding } from "../finding.ts";
import type { Setup } from "../setup.ts";

/**
 * Variables of this shell that keep tools from using the file, or send them to another. A daemon's environment may be
 * another: see `/proc/PID/environ`.
 */
export function environmentFindings({ setup, context: { world } }: Evidence): readonly Finding[] {
  const found = [...keyVariables(world.env), ...profileVariables(setup, world.env), ...fileVariable(setup, world)];
  if (found.some(({ level }) => level !== "ok")) return found;
  return [...found, finding("ok", "no environment variable overrides the credentials file")];
}

function keyVariables(env: World["env"]): readonly Finding[] {
  const found: Finding[] = [];
  if (env["AWS_ACCESS_KEY_ID"])
    found.push(
      finding("warning", "AWS_ACCESS_KEY_ID is set: tools started from this shell use it instead of the file", {
        hint: "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN",
      }),
    );
  // aws/aws-cli#8883: they win over a profile that is chosen by AWS_PROFILE.
  if (env["AWS_WEB_IDENTITY_TOKEN_FILE"] && env["AWS_ROLE_ARN"])
    found.push(
      finding(
        "warning",
        "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN are set: SDKs assume that role before they read the file",
        { hint: "unset AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN" },
      ),
    );
  return found;
}

function profileVariables(setup: Setup, env: World["env"]): readonly Finding[] {
  const names = setup.config?.profiles.map((spec) => spec.profile) ?? setup.targets.map((target) => target.profile);
  const sections = setup.views.flatMap((view) => view.document?.names ?? []);
  return ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].flatMap((variable) => {
    const chosen = env[variable];
    if (!chosen) return [];
    if (names.includes(chosen)) return [finding("ok", `${variable} selects the profile '${chosen}'`)];
    const what = sections.includes(chosen) ? "which rolefresh does not refresh" : "which is in no credentials file";
    const hint = didYouMean(chosen, names) ?? `unset ${variable}`;
    return [finding("warning", `${variable} selects the profile '${chosen}', ${what}`, { hint })];
  });
}

/** Whether tools read the file that is written. */
function fileVariable(setup: Setup, world: Pick<World, "env" | "home" | "cwd">): readonly Finding[] {
  const named = world.env["AWS_SHARED_CREDENTIALS_FILE"];
  const { path: read, problem, hint } = usualCredentialsFile(world);
  if (problem !== undefined)
    return [finding("warning", `AWS_SHARED_CREDENTIALS_FILE cannot be used: ${problem}`, { hint })];
  const others = setup.views.filter((view) => resolve(view.path) !== read);
  if (others.length === 0) return named ? [finding("ok", `AWS_SHARED_CREDENTIALS_FILE names the file ${read}`)] : [];
  return others.map(({ path }) =>
    finding(named ? "warning" : "ok", `tools started from this shell read ${read}, but rolefresh writes ${path}`, {
      hint: `start them with AWS_SHARED_CREDENTIALS_FILE=${path}`,
    }),
  );
}
