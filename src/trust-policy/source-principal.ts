import { Failure } from "../base/failure.ts";
import type { Config, ProfileSpec } from "../config/config.ts";
import type { SigningKeys } from "../sts/session.ts";
import type { SourcePrincipal } from "./trust-request.ts";
import type { Deadline } from "../base/deadline.ts";
import type { World } from "../base/world.ts";
import { openCredentialsView } from "../refresh/credentials-view.ts";

interface Context {
  readonly config: Config;
  readonly world: World;
  readonly deadline: Deadline;
  readonly verbose: (message: string) => void;
}

/**
 * Whose keys a `source_profile` holds: the role of a configured profile, else what the section of the credentials file
 * says (`x_principal_arn`), else what STS says of its keys.
 *
 * @throws Failure SOURCE_KEYS_MISSING, STS_*, what the credentials file's reader throws
 */
export async function findSourcePrincipal(
  spec: ProfileSpec,
  name: string,
  context: Context,
): Promise<{ readonly source: SourcePrincipal; readonly notes: readonly string[] }> {
  const view = await openCredentialsView(spec.credentialsFile, context.world);
  const section = view.document?.profile(name);
  const configured = context.config.profiles.find(({ profile }) => profile === name);
  if (configured?.role) {
    const { arn, account, partition } = configured.role;
    const written = section?.principalArn;
    const isOfRole = written?.startsWith(`arn:${partition}:sts::${account}:assumed-role/${configured.role.name}/`);
    return { source: { arn, account, partition, sessionArn: isOfRole === true ? written : undefined }, notes: [] };
  }
  if (view.failure) throw view.failure;
  if (section?.principalArn !== undefined) return toPrincipal(section.principalArn);
  if (section?.accessKeyId === undefined || section.secretAccessKey === undefined) {
    throw new Failure(
      "SOURCE_KEYS_MISSING",
      `its source_profile '${name}' has no readable access key and secret in ${view.path}`,
    );
  }
  const { accessKeyId, secretAccessKey } = section;
  return toPrincipal(
    await askWho(
      { accessKeyId, secretAccessKey, sessionToken: section.sessionToken ?? section.securityToken },
      spec,
      context,
    ),
  );
}

async function askWho(keys: SigningKeys, spec: ProfileSpec, { world, deadline, verbose }: Context): Promise<string> {
  const { openSts } = await import("../sts/client.ts");
  const { getCallerIdentity } = await import("../sts/get-caller-identity.ts");
  const clients = openSts({ env: world.env, uid: world.uid, clock: world, deadline, verbose });
  try {
    return (await getCallerIdentity(clients, spec.endpoint, keys)).arn;
  } finally {
    clients.close();
  }
}

/** From a session's ARN, which changes with its name, to the role's, which a policy names. The role's path is lost there. */
function toPrincipal(arn: string): { readonly source: SourcePrincipal; readonly notes: readonly string[] } {
  const [, partition = "aws", , , account = ""] = arn.split(":");
  const role = /:assumed-role\/([^/]+)\//.exec(arn)?.[1];
  if (role === undefined) return { source: { arn, account, partition, sessionArn: undefined }, notes: [] };
  return {
    source: { arn: `arn:${partition}:iam::${account}:role/${role}`, account, partition, sessionArn: arn },
    notes: [`the source's role is ${role}; if it has a path, put it into the ARN: role/PATH/${role}`],
  };
}
