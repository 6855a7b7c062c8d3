// The licences of the packages whose code is in the bundle, as their conditions ask for.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** @returns one text: each package with its version, its licence's name and the text that it ships with */
export async function collectLicences(root, modules) {
  const folders = new Set(modules.flatMap((id) => /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1] ?? []));
  const packages = await Promise.all([...folders].map((folder) => licenceOf(folder)));
  const sorted = packages.toSorted((a, b) => (a.title < b.title ? -1 : 1));
  const byText = groupByText(sorted);
  const parts = [...byText].map(([text, same]) => `${same.map(({ title }) => title).join("\n")}\n\n${text}\n`);
  return `rolefresh contains code of the packages below, under their licences.\n\n${parts.join(`\n${"-".repeat(78)}\n\n`)}`;
}

async function licenceOf(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const file = (await readdir(folder)).find((one) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(one));
  const notice = (await readdir(folder)).find((one) => /^notice(\.(md|txt))?$/i.test(one));
  const texts = await Promise.all([file, notice].flatMap((one) => (one ? [readFile(join(folder, one), "utf8")] : [])));
  return {
    title: `${name} ${version} (${typeof license === "string" ? license : "see below"})`,
    text:
      texts.length > 0 ? texts.map((text) => text.trim()).join("\n\n") : "(the package ships no text of its licence)",
  };
}

function groupByText(packages) {
  const groups = new Map();
  for (const one of packages) groups.set(one.text, [...(groups.get(one.text) ?? []), one]);
  return groups;
}
