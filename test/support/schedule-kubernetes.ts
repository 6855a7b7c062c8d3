import { ConfigMap } from "kubernetes-models/v1/ConfigMap";
import { CronJob } from "kubernetes-models/batch/v1/CronJob";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { PersistentVolumeClaim } from "kubernetes-models/v1/PersistentVolumeClaim";
import { ServiceAccount } from "kubernetes-models/v1/ServiceAccount";
import { parseAllDocuments } from "yaml";

/*
 * Kubernetes' own OpenAPI schemas, as the package kubernetes-models carries them compiled. They let unknown fields pass
 * (the API server drops or refuses those), so a field that no validator has looked at counts as unknown.
 */

const MODELS = { ConfigMap, CronJob, Deployment, PersistentVolumeClaim, ServiceAccount } as const;

type Fields = Record<string, unknown>;

/** Parses a manifest and judges every object in it. @throws AssertionError-like Error naming the first fault */
export function validatedManifest(text: string): readonly Fields[] {
  return parseAllDocuments(text, { strict: true, uniqueKeys: true, version: "1.2" }).map((document) => {
    if (!("contents" in document)) throw new Error("the manifest is empty");
    const [fault] = [...document.errors, ...document.warnings];
    if (fault) throw fault;
    const object: unknown = document.toJS();
    if (!isFields(object)) throw new Error("an object of the manifest is no mapping");
    judge(object);
    return object;
  });
}

function judge(object: Fields): void {
  const Model = Object.entries(MODELS).find(([kind]) => kind === object["kind"])?.[1];
  if (!Model) throw new Error(`no schema for kind ${String(object["kind"])}`);
  if (Model.apiVersion !== object["apiVersion"]) throw new Error(`${Model.kind} is of ${Model.apiVersion}`);
  const unread = new Set<string>();
  // Not through a constructor: that one copies, and so reads, every field.
  Model.prototype.validate.call(watch(object, Model.kind, unread));
  if (unread.size > 0) throw new Error(`Kubernetes knows no ${[...unread].join(", ")}`);
}

/** A view of a value that notes which fields nobody reads. */
function watch(value: unknown, path: string, unread: Set<string>): unknown {
  if (typeof value !== "object" || value === null) return value;
  const entries: (readonly [string, unknown])[] = Object.entries(value).map(([key, field]) => {
    const at = `${path}.${key}`;
    unread.add(at);
    return [key, watch(field, at, unread)];
  });
  const copy: object = Array.isArray(value) ? entries.map(([, field]) => field) : Object.fromEntries(entries);
  return new Proxy(copy, {
    get: (target, key, receiver) => {
      if (typeof key === "string") unread.delete(`${path}.${key}`);
      return Reflect.get(target, key, receiver) as unknown;
    },
  });
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
