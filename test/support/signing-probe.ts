import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { loadSharedConfigFiles } from "@smithy/shared-ini-file-loader";

import type { Scene } from "./scene.ts";

/** Reads a profile's keys from the credentials file with the SDK's own loader and asks the sandbox whose they are. */
export class SigningProbe {
  readonly #scene: Pick<Scene, "home" | "sandbox">;

  constructor(scene: Pick<Scene, "home" | "sandbox">) {
    this.#scene = scene;
  }

  async callerArn(profile: string): Promise<string> {
    const { credentialsFile } = await loadSharedConfigFiles({
      filepath: this.#scene.home.credentials,
      configFilepath: "/dev/null",
      ignoreCache: true,
    });
    const keys = credentialsFile[profile] ?? {};
    const client = new STSClient({
      region: "us-east-1",
      endpoint: this.#scene.sandbox.stsUrl,
      credentials: {
        accessKeyId: keys["aws_access_key_id"] ?? "",
        secretAccessKey: keys["aws_secret_access_key"] ?? "",
        sessionToken: keys["aws_session_token"] ?? "",
      },
    });
    try {
      return (await client.send(new GetCallerIdentityCommand({}))).Arn ?? "";
    } finally {
      client.destroy();
    }
  }
}
