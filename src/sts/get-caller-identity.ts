import { Failure } from "../base/failure.ts";
import type { StsEndpoint } from "../config/config.ts";
import type { StsClients } from "./client.ts";
import type { SigningKeys } from "./session.ts";

/** The owner of credentials (STS API reference, GetCallerIdentity). */
export interface CallerIdentity {
  readonly arn: string;
  readonly account: string;
  readonly userId: string;
}

/**
 * The owner of these credentials (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html); needs no
 * permission, so it fails only for credentials that do not work.
 *
 * @throws Failure STS_*, ENDPOINT_REFUSED, TIMEOUT or INTERRUPTED.
 */
export async function getCallerIdentity(
  clients: StsClients,
  endpoint: StsEndpoint,
  keys: SigningKeys,
): Promise<CallerIdentity> {
  const { output } = await clients.call({
    action: "GetCallerIdentity",
    subject: "the keys",
    endpoint,
    keys,
    deniedHint: "the keys do not work",
    send: (sdk, client, options) => client.send(new sdk.GetCallerIdentityCommand({}), options),
  });
  const { Arn: arn, Account: account, UserId: userId } = output;
  if (arn === undefined || !/^arn:[\w-]+:(sts|iam)::\d{12}:[\x21-\x7e]{1,2000}$/.test(arn))
    throw invalidResponse("Arn");
  if (account === undefined || !/^\d{12}$/.test(account)) throw invalidResponse("Account");
  if (userId === undefined || !/^[\w+=,.@:-]{2,193}$/.test(userId)) throw invalidResponse("UserId");
  return { arn, account, userId };
}

function invalidResponse(field: string): Failure {
  return new Failure(
    "STS_INVALID_RESPONSE",
    `STS returned an invalid response to GetCallerIdentity: ${field} is missing or malformed`,
  );
}
