// The Debian package: the self-contained binary with its manual page, completions, units and papers.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { gzip, layOut, settle } from "./archive.mjs";
import { packagedUnits } from "./systemd-units.mjs";

const MAINTAINER = "The authors of rolefresh <maintainers@rolefresh.invalid>";
const MAINTAINER_SCRIPTS = ["postinst", "prerm", "postrm"];

/** Debian writes a pre-release so that it sorts before the release (deb-version(7)). */
export function debianVersion(version) {
  return version.replace("-", "~");
}

/** deb-changelog(5): the changes themselves are told once, in CHANGELOG.md. */
function debianChangelog(version, epochSeconds) {
  const date = new Date(epochSeconds * 1000).toUTCString().replace("GMT", "+0000");
  return `rolefresh (${debianVersion(version)}) stable; urgency=medium\n\n  * See CHANGELOG.md.gz.\n\n -- ${MAINTAINER}  ${date}\n`;
}

/**
 * Writes the `.deb`.
 *
 * @param parts what the archive has as well: `binary`, `manual`, `completions`, `papers` (name → text), `changelog`
 * @param fast packs quickly instead of small: for tests
 */
export async function writeDebianPackage(parts, path, { root, folder, version, epochSeconds, fast }) {
  const own = (name) => readFileSync(fileURLToPath(new URL(`debian/${name}`, import.meta.url)), "utf8");
  const doc = "usr/share/doc/rolefresh";
  const contrib = (name) => ({ copy: join(root, "contrib", name) });
  layOut(folder, {
    "usr/bin/rolefresh": { copy: parts.binary, mode: 0o755 },
    "usr/share/man/man1/rolefresh.1.gz": { text: gzip(parts.manual, 9) },
    "usr/share/bash-completion/completions/rolefresh": { text: parts.completions.bash },
    "usr/share/zsh/vendor-completions/_rolefresh": { text: parts.completions.zsh },
    "usr/share/fish/vendor_completions.d/rolefresh.fish": { text: parts.completions.fish },
    ...Object.fromEntries(Object.entries(await packagedUnits()).map(([name, text]) => [name, { text }])),
    [`${doc}/copyright`]: { text: own("copyright") },
    [`${doc}/changelog.gz`]: { text: gzip(debianChangelog(version, epochSeconds), 9) },
    [`${doc}/CHANGELOG.md.gz`]: { text: gzip(parts.changelog, 9) },
    [`${doc}/THIRD-PARTY-LICENSES.txt.gz`]: { text: gzip(parts.papers["THIRD-PARTY-LICENSES.txt"], 9) },
    [`${doc}/NODE-LICENSE.txt.gz`]: { text: gzip(parts.papers["NODE-LICENSE.txt"], 9) },
    [`${doc}/sbom.cdx.json`]: { text: parts.papers["sbom.cdx.json"] },
    "usr/share/lintian/overrides/rolefresh": { text: own("lintian-overrides") },
    [`${doc}/examples/rolefresh.ini`]: { text: own("rolefresh.ini") },
    [`${doc}/examples/rolefresh.rules.yml`]: contrib("prometheus/rolefresh.rules.yml"),
    [`${doc}/examples/grafana-dashboard.json`]: contrib("grafana/rolefresh.json"),
  });
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
  const sums = files.map(
    (name) =>
      `${createHash("md5")
        .update(readFileSync(join(folder, name)))
        .digest("hex")}  ${name}\n`,
  );
  const kibibytes = files.reduce((sum, name) => sum + Math.ceil(statSync(join(folder, name)).size / 1024), 0);
  const control = own("control")
    .replace("@VERSION@", debianVersion(version))
    .replace("@SIZE@", String(kibibytes))
    .replace("@MAINTAINER@", MAINTAINER);
  layOut(join(folder, "DEBIAN"), {
    control: { text: control },
    md5sums: { text: sums.join("") },
    ...Object.fromEntries(MAINTAINER_SCRIPTS.map((name) => [name, { text: own(name), mode: 0o755 }])),
  });
  settle(folder, epochSeconds);
  const compression = fast ? ["-Znone"] : ["-Zxz", "-z6"];
  // One thread: how xz cuts its blocks must not depend on the machine. Times are no later than SOURCE_DATE_EPOCH (dpkg-deb(1)).
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(epochSeconds), DPKG_DEB_THREADS_MAX: "1" };
  execFileSync("dpkg-deb", ["--root-owner-group", ...compression, "--build", folder, path], {
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
}
