# Reads a profile as botocore does, then asks STS who it is. usage: botocore_reader.py PROFILE ENDPOINT
import json
import sys

import botocore.session

profile, endpoint = sys.argv[1:]
session = botocore.session.Session(profile=profile)
keys = session.get_credentials().get_frozen_credentials()
sts = session.create_client("sts", region_name="eu-west-1", endpoint_url=endpoint)
print(json.dumps({
    "accessKeyId": keys.access_key,
    "secretAccessKey": keys.secret_key,
    "sessionToken": keys.token,
    "arn": sts.get_caller_identity()["Arn"],
}))
