import { createHash } from "node:crypto";

import { AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts";

import { AZURE_ISSUER, AZURE_RESOURCE, startImds } from "../sandbox/azure.ts";
import { GITHUB_ISSUER, startGitHub } from "../sandbox/github.ts";
import { signToken } from "../sandbox/google-token.ts";
import { makeSamlResponse } from "../sandbox/saml.ts";
import { GCP_ROLE, type Sandbox, type SandboxOptions } from "../sandbox/sandbox.ts";
import { jsonReply, startTokenService, timesAt } from "../sandbox/token-service.ts";
import { writeProgram } from "./docs-programs.ts";
import type { TempHome } from "./temp-home.ts";

/** The machines that the guides are for, beside a Google Cloud VM. */

/** A machine before its jobs run. */
export interface DocsPlace {
  readonly home: TempHome;
  readonly sandbox: Sandbox;
}

/** Takes what is to be closed with the machine. */
type Keep = <T extends AsyncDisposable>(thing: T) => T;

/** What makes a machine this one: `sandbox` before it starts, `prepare` afterwards (returns the environment of its jobs). */
export interface DocsKind {
  readonly sandbox?: SandboxOptions;
  readonly prepare?: (place: DocsPlace, keep: Keep) => Promise<Record<string, string>>;
}

const GITLAB = "https://gitlab.com";
const CLUSTER = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE";
const SSO_ROLE =
  "arn:aws:iam::123412341234:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Exporter_0123456789abcdef";
const MFA = { serial: "arn:aws:iam::123412341234:mfa/dana", codes: ["123456", "234567"] };

/** By the page's name; a page without a kind of its own is for a Google Cloud VM. */
export const DOCS_KINDS: Readonly<Record<string, DocsKind>> = {
  gke: { sandbox: { platform: "gke" } },
  "cloud-run": { sandbox: { hostname: undefined } },
  "github-actions": {
    sandbox: { oidcProviders: [{ issuer: GITHUB_ISSUER, clientIds: ["sts.amazonaws.com"] }] },
    prepare: async (_place, keep) => keep(await startGitHub()).env,
  },
  gitlab: {
    sandbox: { oidcProviders: [{ issuer: GITLAB, clientIds: [GITLAB] }] },
    prepare: async () => {
      const sub = "project_path:acme/exporter:ref_type:branch:ref:main";
      return {
        GITLAB_CI: "true",
        AWS_ID_TOKEN: await signToken({ iss: GITLAB, sub, aud: GITLAB, ...timesAt(new Date()) }),
      };
    },
  },
  azure: {
    sandbox: { oidcProviders: [{ issuer: AZURE_ISSUER, clientIds: [AZURE_RESOURCE] }] },
    prepare: async (_place, keep) => keep(await startImds()).env,
  },
  kubernetes: {
    sandbox: { oidcProviders: [{ issuer: CLUSTER, clientIds: ["sts.amazonaws.com"] }] },
    prepare: async ({ home }) => {
      const claims = { iss: CLUSTER, sub: "system:serviceaccount:export:rolefresh", aud: ["sts.amazonaws.com"] };
      const token = await signToken({ ...claims, ...timesAt(new Date()) });
      return { AWS_WEB_IDENTITY_TOKEN_FILE: await home.write("token/token", token) };
    },
  },
  "sso-laptop": { prepare: afterSsoLogin },
  "from-saml2aws": {
    prepare: async ({ home }) => {
      const roles = ["arn:aws:iam::123412341234:role/Exporter,arn:aws:iam::123412341234:saml-provider/Corp"];
      await home.write("response", makeSamlResponse({ roles }));
      await writeProgram(home, "corp-saml-response", `cat "$HOME/response"`);
      return {};
    },
  },
  "from-aws-mfa": {
    sandbox: {
      users: [
        {
          arn: "arn:aws:iam::123412341234:user/dana",
          accessKeyId: "AKIAIOSFODNN7EXAMPLE",
          secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
          mfa: MFA,
        },
      ],
    },
    prepare: async ({ home }) => {
      await home.write("codes", MFA.codes.join("\n"));
      // Each code is good once, as the device's.
      await writeProgram(home, "oathtool", `head -n 1 "$HOME/codes"; sed -i.old 1d "$HOME/codes"`);
      return {};
    },
  },
};

/** After `aws sso login`: the token is in its cache, and the portal gives the role's keys for it. */
async function afterSsoLogin({ home, sandbox }: DocsPlace, keep: Keep): Promise<Record<string, string>> {
  sandbox.addRole({ arn: SSO_ROLE, trustPolicy: GCP_ROLE.trustPolicy });
  const expiresAt = new Date(Date.now() + 8 * 3_600_000).toISOString();
  const name = createHash("sha1").update("corp").digest("hex");
  await home.write(`.aws/sso/cache/${name}.json`, JSON.stringify({ accessToken: "after-login", expiresAt }));
  const sts = new STSClient({ region: "eu-central-1", endpoint: sandbox.stsUrl });
  const portal = keep(
    await startTokenService(async ({ target, headers }) => {
      const isAllowed =
        headers["x-amz-sso_bearer_token"] === "after-login" && target.startsWith("/federation/credentials?");
      if (!isAllowed) return jsonReply({ message: "Session token not found or invalid" }, 401);
      const { Credentials: keys } = await sts.send(
        new AssumeRoleWithWebIdentityCommand({
          RoleArn: SSO_ROLE,
          RoleSessionName: "dana@example.com",
          WebIdentityToken: await sandbox.mintToken(),
        }),
      );
      const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = keys ?? {};
      return jsonReply({
        roleCredentials: { accessKeyId, secretAccessKey, sessionToken, expiration: keys?.Expiration?.getTime() },
      });
    }),
  );
  return { AWS_ENDPOINT_URL_SSO: portal.url };
}
