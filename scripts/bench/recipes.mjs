// What people use today for one Google role, as they publish it, pointed at the loopback sandbox by environment variables.
import { spawnSync } from "node:child_process";
import { ROLE } from "./scene.mjs";

const TOKEN_PATH = "computeMetadata/v1/instance/service-accounts/default/identity?audience=gcp&format=full";

/** The shell recipe of many blog posts and gists: metadata, `aws sts`, `aws configure set`. */
const SHELL = `set -eu
token=$(curl -sf -H 'Metadata-Flavor: Google' "http://$GCE_METADATA_HOST/${TOKEN_PATH}")
set -- $(aws sts assume-role-with-web-identity --role-arn ${ROLE} --role-session-name legacy-vm --web-identity-token "$token" --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text)
aws configure set aws_access_key_id "$1" --profile default
aws configure set aws_secret_access_key "$2" --profile default
aws configure set aws_session_token "$3" --profile default
`;

const PYTHON_SESSION = `import boto3, os, urllib.request
from botocore import UNSIGNED
from botocore.config import Config
request = urllib.request.Request("http://" + os.environ["GCE_METADATA_HOST"] + "/${TOKEN_PATH}", headers={"Metadata-Flavor": "Google"})
token = urllib.request.urlopen(request).read().decode()
sts = boto3.client("sts", region_name="eu-central-1", config=Config(signature_version=UNSIGNED))
keys = sts.assume_role_with_web_identity(RoleArn="${ROLE}", RoleSessionName="legacy-vm", WebIdentityToken=token)["Credentials"]
`;

/** A boto3 script that writes the file, as many of the peers do (configparser, truncate). */
const BOTO3 = `${PYTHON_SESSION}
import configparser
path = os.path.expanduser("~/.aws/credentials")
file = configparser.RawConfigParser()
file.read(path)
if not file.has_section("default"): file.add_section("default")
file.set("default", "aws_access_key_id", keys["AccessKeyId"])
file.set("default", "aws_secret_access_key", keys["SecretAccessKey"])
file.set("default", "aws_session_token", keys["SessionToken"])
with open(path, "w") as out: file.write(out)
`;

/** doitintl/janus, janus.py: a \`credential_process\` that an SDK runs again in each process. */
const JANUS = `${PYTHON_SESSION}
import json
print(json.dumps({"Version": 1, "AccessKeyId": keys["AccessKeyId"], "SecretAccessKey": keys["SecretAccessKey"], "SessionToken": keys["SessionToken"], "Expiration": keys["Expiration"].isoformat()}))
`;

/** @returns the recipes that this machine can run, and why it cannot run the others */
export function findRecipes() {
  const has = (command, ...args) => spawnSync(command, args, { stdio: "ignore" }).status === 0;
  const hasBoto3 = has("python3", "-c", "import boto3");
  const shell = has("aws", "--version") && has("curl", "--version") && has("bash", "--version");
  return {
    shell: shell ? ["bash", "-c", SHELL] : "the recipe of curl and the AWS CLI needs `aws`, `curl` and `bash`",
    boto3: hasBoto3 ? ["python3", "-c", BOTO3] : "the boto3 script needs `python3` with boto3",
    janus: hasBoto3 ? ["python3", "-c", JANUS] : "janus needs `python3` with boto3",
  };
}
