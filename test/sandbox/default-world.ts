import type { SandboxServiceAccount } from "./machine.ts";
import type { SandboxRole } from "./realm.ts";

/** The world that a sandbox starts with when nothing else is said: one VM, its service account, two roles. */

export const DEFAULT_SERVICE_ACCOUNT: SandboxServiceAccount = {
  email: "legacy-tool@demo-project.iam.gserviceaccount.com",
  uniqueId: "112233445566778899001",
};

/** Trusts the service account by its unique ID, which Google puts into `azp`. */
export const GCP_ROLE: SandboxRole = {
  arn: "arn:aws:iam::123412341234:role/my-gcp-role-20211031",
  maxSessionDuration: 43_200,
  trustPolicy: {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Federated: "accounts.google.com" },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: { StringEquals: { "accounts.google.com:aud": DEFAULT_SERVICE_ACCOUNT.uniqueId } },
      },
    ],
  },
};

/** In another account; trusts sessions of GCP_ROLE. */
export const BILLING_ROLE: SandboxRole = {
  arn: "arn:aws:iam::999999999999:role/Billing",
  trustPolicy: {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { AWS: GCP_ROLE.arn },
        Action: ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
      },
    ],
  },
};
