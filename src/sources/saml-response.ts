import type { Document, Element } from "@xmldom/xmldom";

import { Secret } from "../base/secret.ts";

/** The parts of a SAML response that AWS uses; all but the status are missing from an encrypted one. */
export interface SamlClaims {
  /** The identity provider's status: `Success`, or why the login failed. */
  readonly status: string;
  readonly isEncrypted: boolean;
  readonly audiences: readonly string[];
  readonly notBefore: Date | undefined;
  readonly notOnOrAfter: Date | undefined;
  /** The pairs of the attribute `Role`. */
  readonly roles: readonly { readonly roleArn: string; readonly principalArn: string }[];
  /** The attribute `SessionDuration`, clamped to what STS accepts. */
  readonly durationSeconds: number | undefined;
}

/** SAML 2.0 core, 2.7 and 3.2; https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html */
const PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol";
const ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion";
const ATTRIBUTE = "https://aws.amazon.com/SAML/Attributes/";

/**
 * Parses a SAML response: base64 with or without line breaks, or the XML itself.
 *
 * @param refuse called with the reason and a hint for anything else; neither quotes the text
 */
export async function parseSamlResponse(
  text: string,
  maxLength: number,
  refuse: (why: string, hint: string) => never,
): Promise<SamlClaims & { readonly response: Secret }> {
  const hint = "provide only the base64 SAML response that the identity provider posts to AWS";
  if (text === "") return refuse("it is empty", hint);
  const isXml = text.startsWith("<");
  const base64 = isXml ? Buffer.from(text, "utf8").toString("base64") : text.replaceAll(/\s/g, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return refuse("it is not base64", hint);
  if (base64.length > maxLength) return refuse(`it has more than ${maxLength} characters`, hint);
  const xml = Buffer.from(base64, "base64").toString("utf8");
  if (/^\s*<(!doctype\s+html|html)\b/i.test(xml)) {
    return refuse("it is a web page", "log in again: the identity provider probably returned its login page");
  }
  // A document type could define entities; no identity provider sends one.
  const response = /<!DOCTYPE/i.test(xml) ? undefined : await parseXml(xml);
  if (!response) return refuse("it is not XML", hint);
  const root = response.documentElement;
  if (root?.localName !== "Response" || root.namespaceURI !== PROTOCOL)
    return refuse("it is not a SAML response", hint);
  return { ...claimsOf(root), response: new Secret(base64) };
}

async function parseXml(xml: string): Promise<Document | undefined> {
  const { DOMParser, onErrorStopParsing } = await import("@xmldom/xmldom");
  try {
    return new DOMParser({ onError: onErrorStopParsing }).parseFromString(xml, "text/xml");
  } catch {
    // The parser's message quotes the document.
    return undefined;
  }
}

function claimsOf(root: Element): SamlClaims {
  const conditions = all(root, ASSERTION, "Conditions")[0];
  const attributes = all(root, ASSERTION, "Attribute");
  const valuesOf = (name: string): readonly string[] =>
    attributes
      .filter((attribute) => attribute.getAttribute("Name") === `${ATTRIBUTE}${name}`)
      .flatMap((attribute) => all(attribute, ASSERTION, "AttributeValue"))
      .map(textOf);
  const codes = all(root, PROTOCOL, "StatusCode").map((code) => (code.getAttribute("Value") ?? "").split(":").at(-1));
  return {
    // The innermost says more: `Responder` holds `AuthnFailed`.
    status: codes[0] === "Success" ? "Success" : (codes.at(-1) ?? "missing"),
    isEncrypted: all(root, ASSERTION, "EncryptedAssertion").length > 0,
    audiences: all(root, ASSERTION, "Audience").map(textOf),
    notBefore: timeOf(conditions?.getAttribute("NotBefore")),
    notOnOrAfter: timeOf(conditions?.getAttribute("NotOnOrAfter")),
    roles: valuesOf("Role").flatMap(rolePair),
    durationSeconds: durationOf(valuesOf("SessionDuration")[0]),
  };
}

/** AWS accepts role and provider in either order. */
function rolePair(text: string): SamlClaims["roles"] {
  const parts = text.split(",").map((part) => part.trim());
  const roleArn = parts.find((part) => part.includes(":role/"));
  const principalArn = parts.find((part) => part.includes(":saml-provider/"));
  return roleArn === undefined || principalArn === undefined ? [] : [{ roleArn, principalArn }];
}

/** The attribute's range is 900 to 43200 s, as DurationSeconds'. */
function durationOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Math.min(43_200, Math.max(900, Number(text))) : undefined;
}

function timeOf(text: string | null | undefined): Date | undefined {
  const ms = Date.parse(text ?? "");
  return Number.isNaN(ms) ? undefined : new Date(ms);
}

function all(root: Element, namespace: string, name: string): readonly Element[] {
  return [...root.getElementsByTagNameNS(namespace, name)];
}

const textOf = (element: Element): string => (element.textContent ?? "").trim();
