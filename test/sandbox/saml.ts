import { createHmac } from "node:crypto";

import { DOMParser, type Element } from "@xmldom/xmldom";
import { openSession } from "./assume-role.ts";
import type { Fault } from "./fault.ts";
import { StsError, type XmlTree } from "./query-protocol.ts";
import type { Realm } from "./realm.ts";
import { checkDuration, readRoleRequest } from "./role-request.ts";
import { allows } from "./trust-policy.ts";

/**
 * AssumeRoleWithSAML: unsigned; the assertion is the proof. Its signature is a keyed hash here and no XML signature: who
 * signs with which certificate is between the identity provider and AWS, and nothing that a client takes part in.
 * Attributes and their meaning: IAM User Guide, "Configure SAML assertions for the authentication response".
 */

export interface SamlClaims {
  readonly roles: readonly string[];
  readonly sessionName?: string;
  readonly audience?: string;
  readonly recipient?: string;
  readonly issuedAt?: Date;
  readonly notOnOrAfter?: Date;
  readonly sessionNotOnOrAfter?: Date;
  readonly sessionDuration?: number;
  /** Default `Success`. */
  readonly status?: string;
  /** Instead of the good signature. */
  readonly signature?: string;
}

const KEY = "the identity provider's key";
const SIGN_IN = "https://signin.aws.amazon.com/saml";
const ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion";
const ATTRIBUTE = "https://aws.amazon.com/SAML/Attributes/";

const signatureOf = (content: string): string => createHmac("sha256", KEY).update(content).digest("base64");

/** A SAML response as an identity provider posts it to AWS's sign-in, in base64. */
export function makeSamlResponse(claims: SamlClaims): string {
  const now = claims.issuedAt ?? new Date();
  const end = claims.notOnOrAfter ?? new Date(now.getTime() + 300_000);
  const attribute = (name: string, values: readonly (string | number)[]) =>
    `<saml:Attribute Name="${ATTRIBUTE}${name}">${values.map((value) => `<saml:AttributeValue>${value}</saml:AttributeValue>`).join("")}</saml:Attribute>`;
  const content = `<saml:Subject><saml:NameID>jane</saml:NameID><saml:SubjectConfirmation><saml:SubjectConfirmationData
 NotOnOrAfter="${end.toISOString()}" Recipient="${claims.recipient ?? SIGN_IN}"/></saml:SubjectConfirmation></saml:Subject>
<saml:Conditions NotBefore="${now.toISOString()}" NotOnOrAfter="${end.toISOString()}"><saml:AudienceRestriction>
<saml:Audience>${claims.audience ?? "urn:amazon:webservices"}</saml:Audience></saml:AudienceRestriction></saml:Conditions>
<saml:AuthnStatement AuthnInstant="${now.toISOString()}"${claims.sessionNotOnOrAfter ? ` SessionNotOnOrAfter="${claims.sessionNotOnOrAfter.toISOString()}"` : ""}/>
<saml:AttributeStatement>${attribute("Role", claims.roles)}${attribute("RoleSessionName", [claims.sessionName ?? "jane@example.com"])}${claims.sessionDuration === undefined ? "" : attribute("SessionDuration", [claims.sessionDuration])}</saml:AttributeStatement>`;
  const status = claims.status ?? "Success";
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="${ASSERTION}" IssueInstant="${now.toISOString()}" Version="2.0">
<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:${status}"/></samlp:Status>
<saml:Assertion Version="2.0"><SignatureValue>${claims.signature ?? signatureOf(content)}</SignatureValue><!--content-->${content}<!--/content--></saml:Assertion>
</samlp:Response>`;
  return Buffer.from(xml, "utf8").toString("base64");
}

function valuesOf(root: Element, name: string): readonly string[] {
  return [...root.getElementsByTagNameNS(ASSERTION, "Attribute")]
    .filter((attribute) => attribute.getAttribute("Name") === `${ATTRIBUTE}${name}`)
    .flatMap((attribute) => [...attribute.getElementsByTagNameNS(ASSERTION, "AttributeValue")])
    .map((value) => value.textContent ?? "");
}

function attributeOf(root: Element, element: string, name: string): string | undefined {
  return root.getElementsByTagNameNS(ASSERTION, element)[0]?.getAttribute(name) ?? undefined;
}

function verify(realm: Realm, assertion: string): Element {
  const xml = Buffer.from(assertion, "base64").toString("utf8");
  const content = /<!--content-->([\s\S]*)<!--\/content-->/.exec(xml)?.[1];
  if (content === undefined) throw new StsError("InvalidIdentityToken", "Invalid base64 SAMLResponse");
  const root = new DOMParser().parseFromString(xml, "text/xml").documentElement;
  if (root === null) throw new StsError("InvalidIdentityToken", "Invalid base64 SAMLResponse");
  const signature = root.getElementsByTagName("SignatureValue")[0]?.textContent;
  // cevoaustralia/aws-google-auth issue 270
  if (signature !== signatureOf(content)) throw new StsError("InvalidIdentityToken", "Response signature invalid");
  const issuedAt = new Date(root.getAttribute("IssueInstant") ?? "").getTime();
  const end = new Date(attributeOf(root, "Conditions", "NotOnOrAfter") ?? "").getTime();
  const now = realm.now().getTime();
  if (now > end) throw new StsError("ExpiredTokenException", "Response has expired");
  // Nike-Inc/gimme-aws-creds issue 251
  if (now - issuedAt > 300_000)
    throw new StsError("ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance");
  return root;
}

export function assumeRoleWithSaml(
  realm: Realm,
  parameters: ReadonlyMap<string, string>,
  fault: Fault | undefined,
): XmlTree {
  const request = readRoleRequest(parameters, ["RoleArn", "PrincipalArn", "SAMLAssertion"]);
  const root = verify(realm, parameters.get("SAMLAssertion") ?? "");
  const principalArn = parameters.get("PrincipalArn") ?? "";
  const isOffered = valuesOf(root, "Role").some((pair) => {
    const parts = pair.split(",").map((part) => part.trim());
    return parts.includes(request.roleArn) && parts.includes(principalArn);
  });
  const role = realm.roles.get(request.roleArn);
  const recipient = attributeOf(root, "SubjectConfirmationData", "Recipient") ?? "";
  const context = new Map([
    ["saml:aud", [recipient]],
    ["saml:sub", ["jane"]],
  ]);
  const caller = { kind: "Federated", names: [principalArn] } as const;
  if (!isOffered || !role || !allows(role.trustPolicy, "sts:AssumeRoleWithSAML", caller, context)) {
    throw new StsError("AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML");
  }
  checkDuration(request, role, false);
  const sessionEnd = Date.parse(attributeOf(root, "AuthnStatement", "SessionNotOnOrAfter") ?? "");
  const left = Math.floor((sessionEnd - realm.now().getTime()) / 1000);
  const durationSeconds = Number.isNaN(left) ? request.durationSeconds : Math.min(request.durationSeconds, left);
  const sessionName = valuesOf(root, "RoleSessionName")[0] ?? "";
  return {
    Audience: recipient,
    Subject: "jane",
    SubjectType: "persistent",
    ...openSession(realm, role, { ...request, sessionName, durationSeconds }, {}, fault),
    PackedPolicySize: request.packedPolicySize?.toString(),
  };
}
