// Folders whose packed bytes depend on what is in them alone.
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, lutimesSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

/**
 * Lays out a folder.
 *
 * @param files path in the folder → `{ text }` or `{ copy: PATH }`, with `mode` (default 0644)
 */
export function layOut(folder, files) {
  for (const [name, { text, copy, mode = 0o644 }] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    if (copy === undefined) writeFileSync(path, text);
    else cpSync(copy, path);
    chmodSync(path, mode);
  }
}

/** One time for everything and 0755 for folders, whatever the umask. */
export function settle(folder, epochSeconds) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o755);
  }
  chmodSync(folder, 0o755);
  for (const name of ["", ...readdirSync(folder, { recursive: true })])
    lutimesSync(join(folder, name), epochSeconds, epochSeconds);
}

/** A `.tar.gz` of the folder: sorted, root's, without gzip's name and time (reproducible-builds.org/docs/archives). */
export function packTarball(folder, path, { epochSeconds, level }) {
  settle(folder, epochSeconds);
  const tar = ["--create", "--sort=name", "--format=ustar", "--owner=0", "--group=0", "--numeric-owner"];
  const packed = execFileSync("tar", [...tar, `--mtime=@${epochSeconds}`, "-C", dirname(folder), basename(folder)], {
    maxBuffer: 2 ** 29,
    env: { ...process.env, LC_ALL: "C" },
  });
  writeFileSync(path, gzip(packed, level));
}

/** As `gzip -n`: neither name nor time in the header (zlib's deflateInit2). */
export function gzip(bytes, level) {
  return gzipSync(bytes, { level });
}
