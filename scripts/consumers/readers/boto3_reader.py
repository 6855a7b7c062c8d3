# Reads a profile as boto3 does, then asks STS who it is. usage: boto3_reader.py PROFILE ENDPOINT
import json
import sys

import boto3

profile, endpoint = sys.argv[1:]
session = boto3.session.Session(profile_name=profile, region_name="eu-west-1")
keys = session.get_credentials().get_frozen_credentials()
print(json.dumps({
    "accessKeyId": keys.access_key,
    "secretAccessKey": keys.secret_key,
    "sessionToken": keys.token,
    "arn": session.client("sts", endpoint_url=endpoint).get_caller_identity()["Arn"],
}))
