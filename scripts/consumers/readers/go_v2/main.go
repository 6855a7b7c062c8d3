// Reads a profile as the AWS SDK for Go v2 does, then asks STS who it is. usage: go_v2 PROFILE ENDPOINT
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func main() {
	ctx := context.Background()
	loaded, err := config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(os.Args[1]), config.WithRegion("eu-west-1"))
	if err != nil {
		log.Fatal(err)
	}
	keys, err := loaded.Credentials.Retrieve(ctx)
	if err != nil {
		log.Fatal(err)
	}
	client := sts.NewFromConfig(loaded, sts.WithEndpointResolver(sts.EndpointResolverFromURL(os.Args[2])))
	who, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		log.Fatal(err)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]string{
		"accessKeyId":     keys.AccessKeyID,
		"secretAccessKey": keys.SecretAccessKey,
		"sessionToken":    keys.SessionToken,
		"arn":             aws.ToString(who.Arn),
	})
}
