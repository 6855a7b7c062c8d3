# Reads a profile as the AWS SDK for Ruby v1 does. usage: ruby_v1_reader.rb PROFILE ENDPOINT
# It has no GetCallerIdentity; what it sends is proved by the keys that it read.
$VERBOSE = nil
require "json"
require "aws-sdk"

profile, = ARGV
provider = AWS::Core::CredentialProviders::SharedCredentialFileProvider.new(
  path: ENV.fetch("AWS_SHARED_CREDENTIALS_FILE"), profile_name: profile
)
puts JSON.generate(
  accessKeyId: provider.access_key_id,
  secretAccessKey: provider.secret_access_key,
  sessionToken: provider.session_token
)
