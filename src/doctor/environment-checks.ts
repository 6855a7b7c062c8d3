import { resolve } from "node:path";

import { usualCredentialsFile } from "../base/expand-path.ts";
import { didYouMean } from "../config/did-you-mean.ts";
import type { World } from "../base/world.ts";
import { finding, type Finding } from "./finding.ts";
import type { Setup } from "./setup.ts";

/**
 * Variables that keep tools from using the file, or send them to another: as this shell has them. A daemon's environment
 * may be another; `/proc/PID/environ` tells.
 */
export function environmentFindings(setup: Setup, world: Pick<World, "env" | "home" | "cwd">): readonly Finding[] {
  const { env } = world;
  const found = [...keysInTheWay(env), ...profileVariables(setup, env), ...fileVariable(setup, world)];
  if (found.some(({ level }) => level !== "ok")) return found;
  return [...found, finding("environment", "ok", "no variable of this shell stands in the way of the file")];
}

function keysInTheWay(env: World["env"]): readonly Finding[] {
  const found: Finding[] = [];
  if (env["AWS_ACCESS_KEY_ID"])
    found.push(
      finding("environment", "warning", "AWS_ACCESS_KEY_ID is set: every tool started here uses it and not the file", {
        hint: "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN",
      }),
    );
  // aws/aws-cli#8883: they win over a profile that is chosen by AWS_PROFILE.
  if (env["AWS_WEB_IDENTITY_TOKEN_FILE"] && env["AWS_ROLE_ARN"])
    found.push(
      finding(
        "environment",
        "warning",
        "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN are set: SDKs assume that role before they look at the file",
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
    if (names.includes(chosen)) return [finding("environment", "ok", `${variable} chooses '${chosen}'`)];
    const near = didYouMean(chosen, names);
    const what = sections.includes(chosen) ? "which rolefresh does not keep fresh" : "which no file here holds";
    return [
      finding("environment", "warning", `${variable} makes tools use the profile '${chosen}', ${what}`, {
        hint: near ?? `unset ${variable}`,
      }),
    ];
  });
}

/** Whether tools look into the file that is written. */
function fileVariable(setup: Setup, world: Pick<World, "env" | "home" | "cwd">): readonly Finding[] {
  const named = world.env["AWS_SHARED_CREDENTIALS_FILE"];
  const { path: read, problem, hint } = usualCredentialsFile(world);
  if (problem !== undefined)
    return [finding("environment", "warning", `AWS_SHARED_CREDENTIALS_FILE cannot be used: ${problem}`, { hint })];
  const others = setup.views.filter((view) => resolve(view.path) !== read);
  if (others.length === 0)
    return named ? [finding("environment", "ok", `AWS_SHARED_CREDENTIALS_FILE names the file: ${read}`)] : [];
  return others.map((view) =>
    finding(
      "environment",
      named ? "warning" : "ok",
      `tools started here read ${read}, and rolefresh writes ${view.path}`,
      { hint: `start them with AWS_SHARED_CREDENTIALS_FILE=${view.path}` },
    ),
  );
}
