import pLimit from "p-limit";

import { Failure } from "../../base/failure.ts";
import { ownershipOf } from "../../credentials-file/ownership.ts";
import { shellWord } from "../../base/shell-word.ts";
import type { SigningKeys } from "../../sts/session.ts";
import { callerArn } from "../caller-arn.ts";
import type { DoctorContext } from "../context.ts";
import type { Evidence } from "../evidence.ts";
import { examine, failureFinding, finding, type Finding } from "../finding.ts";
import type { Target } from "../setup.ts";

/** Failures after which the keys may still be good. */
const TEMPORARY: readonly string[] = ["STS_UNAVAILABLE", "STS_THROTTLED", "IDENTITY_TEMPORARY", "TIMEOUT"];

/** Signs GetCallerIdentity with what the file holds, where STS responds: the proof that a tool which reads it gets in. */
export async function keysFindings({ endpoints, context }: Evidence): Promise<readonly Finding[]> {
  const limit = pLimit(context.concurrency);
  const all = await Promise.all(
    endpoints.map(async ({ targets, probe }) => {
      if ("failed" in (await probe())) return [];
      return await Promise.all(
        targets.map((target) => limit(() => examine(() => findingsOf(target, context), target.profile))),
      );
    }),
  );
  return all.flat(2);
}

async function findingsOf(target: Target, context: DoctorContext): Promise<readonly Finding[]> {
  const { profile, view, endpoint } = target;
  const keys = keysOf(target, context.world.now());
  if (!keys) return [];
  const about = { profile, hint: `rolefresh refresh --force ${shellWord(profile)}` };
  try {
    const arn = await callerArn(keys, endpoint, context);
    const expected = view.document?.profile(profile)?.principalArn;
    if (expected === undefined || expected === arn)
      return [finding("ok", `the written keys work: ${arn}`, { profile })];
    return [finding("error", `the written keys belong to ${arn}, not to x_principal_arn ${expected}`, about)];
  } catch (error) {
    if (!(error instanceof Failure) || error.code === "INTERRUPTED") throw error;
    if (TEMPORARY.includes(error.code)) return [failureFinding(error, profile, "warning")];
    return [finding("error", `the written keys do not work: ${error.message}`, about)];
  }
}

/** Undefined where there is nothing to try: no keys, expired ones, or a section that rolefresh did not write. */
function keysOf({ profile, view }: Target, now: Date): SigningKeys | undefined {
  const section = view.document?.profile(profile);
  const sessionToken = section?.sessionToken ?? section?.securityToken;
  if (section?.accessKeyId === undefined || !section.secretAccessKey || !sessionToken) return undefined;
  if (ownershipOf(section).kind === "foreign") return undefined;
  if (section.expiresAt && section.expiresAt <= now) return undefined;
  return { accessKeyId: section.accessKeyId, secretAccessKey: section.secretAccessKey, sessionToken };
}
