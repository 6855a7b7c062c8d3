import type { Fault } from "./fault.ts";
import { signToken, type TokenClaims } from "./google-token.ts";
import { answerText, errorPage, type Machine, type MetadataAnswer, type SandboxServiceAccount } from "./machine.ts";

/** The service accounts of the machine and their identity tokens. */

/** GKE's own metadata server, when no Google service account is bound to the Kubernetes one. */
const NOT_ANNOTATED =
  "Your Kubernetes service account (default/default) is not annotated with a target Google service account, which is a requirement for retrieving Identity Tokens using Workload Identity.\nPlease add the iam.gke.io/gcp-service-account=[GSA_NAME]@[PROJECT] annotation to your Kubernetes service account.\n";

/** The access token of the machine's own service account, which `google-iam.ts` knows. */
export const METADATA_ACCESS_TOKEN = "ya29.c.access-token-of-the-machine";

/** The claims of a token for this audience; those of the instance only with `format=full`, and only where there is one. */
export function claimsFor(
  machine: Machine,
  account: SandboxServiceAccount,
  audience: string,
  isFull: boolean,
): TokenClaims {
  const issuedAt = Math.floor(machine.now().getTime() / 1000);
  const standard = {
    aud: audience,
    azp: account.uniqueId,
    exp: issuedAt + 3600,
    iat: issuedAt,
    iss: "https://accounts.google.com",
    sub: account.uniqueId,
  };
  if (!isFull) return standard;
  const named = { ...standard, email: account.email, email_verified: true };
  if (machine.platform !== "gce") return named;
  return {
    ...named,
    google: {
      compute_engine: {
        instance_creation_timestamp: 1_635_638_400,
        instance_id: machine.instanceId,
        instance_name: machine.hostname?.split(".", 1)[0],
        project_id: machine.project,
        project_number: machine.projectNumber,
        zone: machine.zone,
      },
    },
  };
}

async function identity(
  machine: Machine,
  account: SandboxServiceAccount,
  query: URLSearchParams,
  fault: Fault | undefined,
): Promise<MetadataAnswer> {
  const audience = query.get("audience") ?? "";
  if (audience === "") return answerText("non-empty audience parameter required\n", 400);
  const format = query.get("format") ?? "standard";
  if (format !== "standard" && format !== "full") return answerText("invalid format parameter\n", 400);
  const claims = claimsFor(machine, account, audience, format === "full");
  if (fault?.kind === "not-a-jwt") return answerText("ya29.this-is-an-access-token-and-no-jwt");
  if (fault?.kind === "huge-token") {
    const padding = "x".repeat(Math.ceil((fault.bytes ?? 1024 * 1024) * 0.75));
    return answerText(await signToken({ ...claims, padding }));
  }
  return answerText(await signToken(fault?.kind === "token-claims" ? { ...claims, ...fault.claims } : claims));
}

/** What `?recursive=true` shows of an account. */
const describe = ({ email }: SandboxServiceAccount, index: number) => ({
  aliases: index === 0 ? ["default"] : [],
  email,
  scopes: ["https://www.googleapis.com/auth/cloud-platform"],
});

/** Answers a path behind `instance/service-accounts/`. */
export async function answerServiceAccounts(
  machine: Machine,
  rest: string,
  query: URLSearchParams,
  fault: Fault | undefined,
): Promise<MetadataAnswer> {
  const accounts = machine.serviceAccounts;
  if (rest === "") {
    if (query.get("recursive") !== "true") {
      return answerText(
        [...(accounts.length > 0 ? ["default"] : []), ...accounts.map(({ email }) => email)]
          .map((name) => `${name}/\n`)
          .join(""),
      );
    }
    const entries = accounts.flatMap((account, index) => {
      const described = describe(account, index);
      return [...described.aliases, account.email].map((name) => [name, described] as const);
    });
    return { status: 200, body: JSON.stringify(Object.fromEntries(entries)), type: "application/json" };
  }
  const [name = "", leaf = ""] = rest.split("/", 2);
  const wanted = decodeURIComponent(name);
  const account = wanted === "default" ? accounts[0] : accounts.find(({ email }) => email === wanted);
  if (account === undefined) {
    return machine.platform === "gke" && leaf === "identity"
      ? answerText(NOT_ANNOTATED, 404)
      : errorPage(404, "Not Found");
  }
  switch (leaf) {
    case "":
      if (query.get("recursive") !== "true") return answerText("aliases\nemail\nidentity\nscopes\ntoken\n");
      return {
        status: 200,
        body: JSON.stringify(describe(account, accounts.indexOf(account))),
        type: "application/json",
      };
    case "email":
      return answerText(account.email);
    case "aliases":
      return answerText("default\n");
    case "scopes":
      return answerText("https://www.googleapis.com/auth/cloud-platform\n");
    case "token":
      return {
        status: 200,
        body: JSON.stringify({ access_token: METADATA_ACCESS_TOKEN, expires_in: 3599, token_type: "Bearer" }),
        type: "application/json",
      };
    case "identity":
      return identity(machine, account, query, fault);
    default:
      return errorPage(404, "Not Found");
  }
}
