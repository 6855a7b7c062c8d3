# Reads a profile as the AWS SDK for Ruby v3 does, then asks STS who it is. usage: ruby_v3_reader.rb PROFILE ENDPOINT
$VERBOSE = nil
require "json"
require "aws-sdk-core"

profile, endpoint = ARGV
shared = Aws::SharedCredentials.new(profile_name: profile, path: ENV.fetch("AWS_SHARED_CREDENTIALS_FILE"))
keys = shared.credentials
sts = Aws::STS::Client.new(credentials: shared, endpoint: endpoint, region: "eu-west-1", retry_limit: 0)
puts JSON.generate(
  accessKeyId: keys.access_key_id,
  secretAccessKey: keys.secret_access_key,
  sessionToken: keys.session_token,
  arn: sts.get_caller_identity.arn
)
