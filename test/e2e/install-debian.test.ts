import assert from "node:assert/strict";
import { mkdir, readFile, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { gunzipSync } from "node:zlib";

import { INSTALLED_CONFIG, proveInstalled } from "../support/installed.ts";
import { openPackageRoot } from "../support/package-root.ts";
import { artefact, mustRun, VERSION } from "../support/release.ts";
import { unlessThere } from "../support/schedule-tools.ts";
import { openScene } from "../support/scene.ts";
import { tempHome } from "../support/temp-home.ts";

const DEPENDENCIES = ["libc6", "libgcc-s1", "libstdc++6"];
const UNITS = ["rolefresh.service", "rolefresh.timer"];

const packed = artefact(".deb");
const skip = packed.missing ?? (process.geteuid?.() === 0 ? unlessThere("dpkg") : "only root can install with dpkg");
const path = packed.path ?? "";

suite("the Debian package", () => {
  test("is installed, runs without Node.js, and is removed with nothing left behind", { skip }, async () => {
    await using scene = await openScene(INSTALLED_CONFIG);
    const root = await openPackageRoot(scene.home, DEPENDENCIES);
    await root.dpkg("--install", path);
    assert.match(await root.dpkg("--status", "rolefresh"), /^Status: install ok installed$/m);
    assert.equal(await root.dpkg("--verify", "rolefresh"), "");
    const program = join(root.path, "usr/bin/rolefresh");
    const env = { PATH: `${join(root.path, "usr/bin")}:/usr/bin:/bin`, HOME: scene.home.path };
    await proveInstalled(scene, { command: ["rolefresh"], env, scheduled: [program] });
    const before = await scene.credentials();
    await root.dpkg("--remove", "rolefresh");
    assert.deepEqual(await root.files(), []);
    await root.dpkg("--install", path);
    await root.dpkg("--purge", "rolefresh");
    assert.deepEqual(await root.files(), []);
    assert.equal(await scene.credentials(), before, "credentials are the administrator's");
  });

  test("takes away what enabled its timer, and leaves what enabled the administrator's own", { skip }, async () => {
    for (const [target, left] of [
      ["/usr/lib/systemd/system/rolefresh.timer", []],
      ["/etc/systemd/system/rolefresh.timer", ["etc/systemd/system/timers.target.wants/rolefresh.timer"]],
    ] as const) {
      await using home = await tempHome();
      const root = await openPackageRoot(home, DEPENDENCIES);
      await root.dpkg("--install", path);
      const wants = join(root.path, "etc/systemd/system/timers.target.wants");
      await mkdir(wants, { recursive: true });
      await symlink(target, join(wants, "rolefresh.timer"));
      await root.dpkg("--remove", "rolefresh");
      assert.deepEqual(await root.files(), left);
    }
  });

  test("refuses a machine without the libraries that it needs", { skip }, async () => {
    await using home = await tempHome();
    const root = await openPackageRoot(home, DEPENDENCIES.slice(1));
    await assert.rejects(root.dpkg("--install", path), /rolefresh depends on libc6 \(>= 2\.28\)/);
  });

  test("asks for the C and C++ libraries that the binary was linked with, and no older", { skip }, async (t) => {
    const missing = unlessThere("objdump");
    if (missing) return t.skip(missing);
    await using home = await tempHome();
    const env = { PATH: "/usr/bin:/bin" };
    await mustRun("dpkg-deb", ["--extract", path, home.path], { env });
    const symbols = await mustRun("objdump", ["-T", join(home.path, "usr/bin/rolefresh")], { env });
    const newest = (prefix: string) =>
      [...symbols.matchAll(new RegExp(`\\(${prefix}_(\\d[\\d.]*)\\)`, "g"))]
        .map(([, version = ""]) => version)
        .toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }))
        .at(-1);
    assert.equal(newest("GLIBC"), "2.28");
    // GCC 5.1 brought 3.4.21 (gcc.gnu.org/onlinedocs/libstdc++/manual/abi.html); Debian never had it before 5.2.
    assert.equal(newest("GLIBCXX"), "3.4.21");
  });

  test("its units are what systemd wants, run the packaged program, and belong to the package", { skip }, async (t) => {
    await using home = await tempHome();
    const env = { PATH: "/usr/bin:/bin", HOME: home.path, XDG_RUNTIME_DIR: home.path };
    await mustRun("dpkg-deb", ["--extract", path, home.path], { env });
    const unitOf = (scope: string, name: string) => readFile(join(home.path, "usr/lib/systemd", scope, name), "utf8");
    for (const scope of ["system", "user"]) {
      for (const name of UNITS) assert.match(await unitOf(scope, name), /^# Part of the package rolefresh; 'systemctl/);
      assert.match(await unitOf(scope, "rolefresh.timer"), /^WantedBy=timers\.target$/m);
    }
    const machine = await unitOf("system", "rolefresh.service");
    assert.doesNotMatch(machine, /^ExecCondition=/m);
    assert.match(machine, /^ExecStart=\/usr\/bin\/rolefresh refresh --config \/etc\/rolefresh\.ini$/m);
    assert.match(machine, /^ProtectSystem=full$/m);
    assert.doesNotMatch(machine, /^(?:ProtectHome|ReadWritePaths)=/m, "the credentials may be in any home");
    assert.match(await unitOf("user", "rolefresh.service"), /^ExecStart=\/usr\/bin\/rolefresh refresh$/m);
    const missing = unlessThere("systemd-analyze");
    if (missing) return t.skip(missing);
    for (const scope of ["system", "user"]) {
      // `verify` wants the program to be where the unit says.
      const files = await Promise.all(
        UNITS.map(async (name) => {
          const text = (await unitOf(scope, name)).replaceAll("=/usr/bin/rolefresh", "=/bin/true");
          return home.write(`verified/${scope}/${name}`, text, 0o644);
        }),
      );
      const manager = scope === "user" ? ["--user"] : [];
      assert.equal(await mustRun("systemd-analyze", [...manager, "verify", ...files], { env }), "");
    }
  });

  test("man and bash find what is packaged for them", { skip }, async (t) => {
    await using home = await tempHome();
    const env = { PATH: `${home.path}/usr/bin:/usr/bin:/bin`, HOME: home.path, LC_ALL: "C.UTF-8", MANPAGER: "cat" };
    await mustRun("dpkg-deb", ["--extract", path, home.path], { env });
    const share = join(home.path, "usr/share");
    const page = gunzipSync(await readFile(join(share, "man/man1/rolefresh.1.gz"))).toString();
    assert.ok(page.startsWith(`.TH ROLEFRESH 1 "" "rolefresh ${VERSION}"`), page.slice(0, 80));
    const completion = join(share, "bash-completion/completions/rolefresh");
    const script = `. ${completion}; COMP_WORDS=(rolefresh sta); COMP_CWORD=1; _rolefresh; echo "\${COMPREPLY[@]}"`;
    assert.equal(await mustRun("bash", ["--norc", "-c", script], { env }), "status\n");
    for (const [file, start] of [
      ["zsh/vendor-completions/_rolefresh", "#compdef rolefresh\n"],
      ["fish/vendor_completions.d/rolefresh.fish", "# fish completion for rolefresh\n"],
    ] as const)
      assert.ok((await readFile(join(share, file), "utf8")).startsWith(start), file);
    const missing = unlessThere("man");
    if (missing) return t.skip(missing);
    assert.match(
      await mustRun("man", ["-M", join(share, "man"), "rolefresh"], { env }),
      /keep AWS role credentials fresh/,
    );
  });

  test("lintian finds nothing to mend in it but how it was packed for the tests", { skip }, async (t) => {
    const missing = process.env["SLOW"] ? unlessThere("lintian") : "it takes a quarter of a minute: SLOW=1 runs it";
    if (missing) return t.skip(missing);
    await using home = await tempHome();
    const env = { PATH: "/usr/bin:/bin", HOME: home.path, LC_ALL: "C" };
    // Uncompressed, and as root.
    const packing = "uses-no-compression-for-control-tarball,uses-no-compression-for-data-tarball";
    assert.equal(await mustRun("lintian", ["--allow-root", "--suppress-tags", packing, path], { env }), "");
  });

  test("the example configuration is a good one", { skip }, async () => {
    await using home = await tempHome();
    const env = { PATH: "/usr/bin:/bin", HOME: home.path };
    await mustRun("dpkg-deb", ["--extract", path, home.path], { env });
    const example = join(home.path, "usr/share/doc/rolefresh/examples/rolefresh.ini");
    assert.equal((await stat(example)).mode & 0o777, 0o644);
    // 0: something is due.
    assert.equal(await mustRun(join(home.path, "usr/bin/rolefresh"), ["check", "--config", example], { env }), "");
  });
});
