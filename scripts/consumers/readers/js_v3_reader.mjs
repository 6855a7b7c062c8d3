// Reads a profile as the AWS SDK for JavaScript v3 does, then asks STS who it is. usage: js_v3_reader.mjs PROFILE ENDPOINT
import { fromIni } from "@aws-sdk/credential-provider-ini";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const [, , profile, endpoint] = process.argv;
const { accessKeyId, secretAccessKey, sessionToken } = await fromIni({ profile })();
const sts = new STSClient({ profile, endpoint, region: "eu-west-1", maxAttempts: 1 });
const { Arn: arn } = await sts.send(new GetCallerIdentityCommand({}));
console.log(JSON.stringify({ accessKeyId, secretAccessKey, sessionToken, arn }));
