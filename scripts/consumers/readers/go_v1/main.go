// Reads a profile as the AWS SDK for Go v1 does, then asks STS who it is. usage: go_v1 PROFILE ENDPOINT
package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/credentials"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/sts"
)

func main() {
	shared := credentials.NewSharedCredentials("", os.Args[1])
	keys, err := shared.Get()
	if err != nil {
		log.Fatal(err)
	}
	config := aws.NewConfig().WithCredentials(shared).WithEndpoint(os.Args[2]).WithRegion("eu-west-1").WithMaxRetries(0)
	who, err := sts.New(session.Must(session.NewSession(config))).GetCallerIdentity(&sts.GetCallerIdentityInput{})
	if err != nil {
		log.Fatal(err)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]string{
		"accessKeyId":     keys.AccessKeyID,
		"secretAccessKey": keys.SecretAccessKey,
		"sessionToken":    keys.SessionToken,
		"arn":             aws.StringValue(who.Arn),
	})
}
