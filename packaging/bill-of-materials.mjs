// The bill of materials (CycloneDX 1.6, JSON) of what is published: the packages whose code is in the bundle, with version,
// licence and hash as package-lock.json has them. It holds no date, serial number or tool, so that it is the same however often
// it is made.
import { readFile } from "node:fs/promises";
import { join, sep } from "node:path";

import { Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";

/**
 * @param root the checkout
 * @param modules paths of the bundled modules; what is not in a node_modules is ours
 * @returns the text of the file
 */
export async function renderBillOfMaterials(root, modules) {
  const lock = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")).packages;
  const places = [...new Set(modules.map((id) => placeOf(id)))].filter((place) => place !== undefined).toSorted();
  const byPurl = new Map();
  const components = new Map(places.map((place) => [place, componentOf(place, lock[place], byPurl)]));
  const own = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const program = new Models.Component(Enums.ComponentType.Application, own.name, {
    bomRef: purlOf(own.name, own.version),
    version: own.version,
    description: own.description,
    purl: purlOf(own.name, own.version),
    licenses: new Models.LicenseRepository([licenceOf(own.license)]),
  });
  const connect = (from, place, names) => {
    for (const name of names) {
      const found = components.get(resolve(place, name, lock));
      if (found) from.dependencies.add(found.bomRef);
    }
  };
  // They are devDependencies, because the bundle needs none at run time.
  connect(program, "", Object.keys(lock[""].devDependencies));
  for (const [place, component] of components) connect(component, place, Object.keys(lock[place].dependencies ?? {}));
  return serialize(program, byPurl.values());
}

/** The same for an artefact with a Node.js of its own in it. */
export function addRuntime(text, { version, sha256 }) {
  const bill = JSON.parse(text);
  const purl = `pkg:github/nodejs/node@v${version}`;
  bill.components.push({
    type: "platform",
    "bom-ref": purl,
    name: "node",
    version,
    description: "the JavaScript runtime in the self-contained binary",
    hashes: [{ alg: "SHA-256", content: sha256 }],
    licenses: [{ license: { name: "Node.js and the libraries in it: see NODE-LICENSE.txt" } }],
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:lts:*:*:*`,
    purl,
  });
  const own = bill.dependencies.find(({ ref }) => ref === bill.metadata.component["bom-ref"]);
  own.dependsOn = [...(own.dependsOn ?? []), purl].toSorted();
  bill.dependencies.push({ ref: purl });
  return `${JSON.stringify(bill, undefined, 2)}\n`;
}

/** `node_modules/a/node_modules/@b/c` of a file in it: the key of the package in the lockfile. */
function placeOf(id) {
  const path = id.split(sep).join("/");
  const found = /\/(node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)\//.exec(path);
  return found?.[1];
}

/** Where Node finds a package that the one at `place` requires (the lockfile's keys are its folders). */
function resolve(place, name, lock) {
  for (let folder = place; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))) {
    const candidate = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
    if (candidate in lock) return candidate;
    if (folder === "") return undefined;
  }
}

/** One for all the places that hold the same version of a package. */
function componentOf(place, entry, byPurl) {
  if (!entry) throw new Error(`package-lock.json has no ${place}: npm ci`);
  const full = place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
  const purl = purlOf(full, entry.version);
  const known = byPurl.get(purl);
  if (known) return known;
  const [name, group] = full.split("/").toReversed();
  const [algorithm, digest] = entry.integrity.split("-", 2);
  if (algorithm !== "sha512") throw new Error(`${place}: ${algorithm}`);
  const component = new Models.Component(Enums.ComponentType.Library, name, {
    bomRef: purl,
    group,
    version: entry.version,
    purl,
    hashes: new Models.HashDictionary([
      [Enums.HashAlgorithm["SHA-512"], Buffer.from(digest, "base64").toString("hex")],
    ]),
    licenses: new Models.LicenseRepository([licenceOf(entry.license)]),
  });
  byPurl.set(purl, component);
  return component;
}

function licenceOf(id) {
  return /^[\w.+-]+$/.test(id) ? new Models.SpdxLicense(id) : new Models.LicenseExpression(id);
}

/** package-url/purl-spec, types/npm: the scope is the namespace, its `@` encoded. */
function purlOf(name, version) {
  return `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;
}

function serialize(program, components) {
  const bill = new Models.Bom({ metadata: new Models.Metadata({ component: program }) });
  for (const component of components) bill.components.add(component);
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bill, { sortLists: true, space: 2 })}\n`;
}
