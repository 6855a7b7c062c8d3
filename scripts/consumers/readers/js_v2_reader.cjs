// Reads a profile as the AWS SDK for JavaScript v2 does, then asks STS who it is.
// usage: NODE_PATH=… js_v2_reader.cjs PROFILE ENDPOINT
const AWS = require("aws-sdk");
const [, , profile, endpoint] = process.argv;
const credentials = new AWS.SharedIniFileCredentials({ profile });
const sts = new AWS.STS({ credentials, endpoint, region: "eu-west-1", maxRetries: 0 });
sts.getCallerIdentity({}, (error, answer) => {
  if (error) throw error;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  console.log(JSON.stringify({ accessKeyId, secretAccessKey, sessionToken, arn: answer.Arn }));
});
