# Reads a profile as boto 2 does (from $HOME), then asks STS who it is with a request that boto 2 signs.
# usage: boto2_reader.py PROFILE ENDPOINT
import json
import sys
import warnings
from urllib.parse import urlsplit
from xml.etree import ElementTree

warnings.simplefilter("ignore")

from boto.regioninfo import RegionInfo
from boto.sts import STSConnection

profile, endpoint = sys.argv[1:]
where = urlsplit(endpoint)
region = RegionInfo(name="eu-west-1", endpoint=where.hostname)
sts = STSConnection(profile_name=profile, region=region, port=where.port, is_secure=False)
# It would take both out of the host's name.
sts._auth_handler.service_name, sts._auth_handler.region_name = "sts", "eu-west-1"
# It has no method for it; the request is made as for every other action.
response = sts.make_request("GetCallerIdentity", {}, "/", "POST")
body = response.read()
if response.status != 200:
    raise SystemExit(body.decode())
arn = ElementTree.fromstring(body).find(".//{*}Arn").text
print(json.dumps({
    "accessKeyId": sts.provider.access_key,
    "secretAccessKey": sts.provider.secret_key,
    "sessionToken": sts.provider.security_token,
    "arn": arn,
}))
