import type { StsEndpoint } from "../config/config.ts";
import { openSts } from "../sts/client.ts";
import { getCallerIdentity } from "../sts/get-caller-identity.ts";
import type { SigningKeys } from "../sts/session.ts";
import { type DoctorContext, NETWORK_MS, within } from "./context.ts";

/** Whose keys these are, by GetCallerIdentity, which no policy can deny. @throws Failure STS_* */
export async function callerArn(keys: SigningKeys, endpoint: StsEndpoint, context: DoctorContext): Promise<string> {
  const { world, verbose } = context;
  return await within(context, NETWORK_MS, async (deadline) => {
    const clients = openSts({ env: world.env, uid: world.uid, clock: world, deadline, verbose });
    try {
      return (await getCallerIdentity(clients, endpoint, keys)).arn;
    } finally {
      clients.close();
    }
  });
}
