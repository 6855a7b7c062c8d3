import type { Fault } from "./fault.ts";
import type { ReceivedRequest } from "./loopback-server.ts";
import { answerText, errorPage, type Machine, type MetadataAnswer } from "./machine.ts";
import type { OpenCall, Reply } from "./reply.ts";
import { answerServiceAccounts } from "./service-accounts.ts";

/**
 * Google's metadata server. Sources: Compute Engine "About VM metadata" and "Verify VM identity" (claims of the token),
 * Cloud Run "Container runtime contract" (which paths exist there), GKE "About Workload Identity Federation".
 */

const PREFIX = "/computeMetadata/v1/";

const notFound = errorPage(404, "Not Found");
const forbidden = errorPage(403, "Forbidden");

function plainValue(machine: Machine, path: string): string | undefined {
  switch (path) {
    case "":
      return "instance/\noslogin/\nproject/\n";
    case "project/project-id":
      return machine.project;
    case "project/numeric-project-id":
      return String(machine.projectNumber);
    case "instance/id":
      return machine.instanceId;
    case "instance/zone":
      return `projects/${machine.projectNumber}/zones/${machine.zone}`;
    case "instance/region":
      return machine.platform === "cloud-run"
        ? `projects/${machine.projectNumber}/regions/${machine.zone.replace(/-[a-z0-9]+$/, "")}`
        : undefined;
    case "instance/hostname":
      return machine.hostname;
    case "instance/name":
      return machine.hostname?.split(".", 1)[0];
    default:
      return undefined;
  }
}

async function route(machine: Machine, request: ReceivedRequest, fault: Fault | undefined): Promise<MetadataAnswer> {
  const url = new URL(request.target, "http://metadata.google.internal");
  // The way in which libraries find out that they are on Google Cloud: "/" needs no header.
  if (url.pathname === "/") return answerText("computeMetadata/\n");
  if (request.headers["x-forwarded-for"] !== undefined) return forbidden;
  if (request.headers["metadata-flavor"]?.toString().toLowerCase() !== "google") return forbidden;
  if (!url.pathname.startsWith(PREFIX)) return notFound;
  const path = url.pathname.slice(PREFIX.length);
  const accounts = /^instance\/service-accounts\/(.*)$/.exec(path)?.[1];
  if (accounts !== undefined) return answerServiceAccounts(machine, accounts, url.searchParams, fault);
  const value = plainValue(machine, path);
  return value === undefined ? notFound : answerText(value);
}

/** Answers one request to the metadata server. */
export async function answerMetadata(
  machine: Machine,
  request: ReceivedRequest,
  fault: Fault | undefined,
): Promise<Reply> {
  const answer = await route(machine, request, fault);
  const headers = {
    "Content-Type": answer.type ?? "application/text",
    Date: machine.now().toUTCString(),
    Server: "Metadata Server for VM",
    "X-XSS-Protection": "0",
    "X-Frame-Options": "SAMEORIGIN",
  };
  const flavored = fault?.kind === "no-flavor" ? headers : { "Metadata-Flavor": "Google", ...headers };
  return { status: answer.status, headers: flavored, body: answer.body };
}

/** The part of the record that is known when the request arrives. */
export function recordOfMetadata(request: ReceivedRequest): OpenCall {
  const url = new URL(request.target, "http://metadata.google.internal");
  return {
    service: "metadata",
    action: url.pathname.startsWith(PREFIX) ? url.pathname.slice(PREFIX.length) : url.pathname,
    target: request.target,
    method: request.method,
    parameters: Object.fromEntries(url.searchParams),
    roleArn: undefined,
    sessionName: undefined,
    durationSeconds: undefined,
    signed: request.headers.authorization !== undefined,
    signedBy: undefined,
    region: undefined,
    userAgent: request.headers["user-agent"],
    status: undefined,
    errorCode: undefined,
  };
}
