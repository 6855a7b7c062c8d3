import assert from "node:assert/strict";
import { access, readdir, readFile } from "node:fs/promises";
import { suite, test } from "node:test";

import { parse } from "yaml";

const root = new URL("../../../", import.meta.url);
const read = (name: string) => readFile(new URL(name, root), "utf8");

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

interface Job {
  readonly permissions?: unknown;
  readonly "timeout-minutes"?: number;
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly unknown[]>> };
  readonly steps: readonly Step[];
}

suite("CONTRIBUTING.md and docs/INSTALL.md", () => {
  for (const page of ["CONTRIBUTING.md", "docs/INSTALL.md"]) {
    test(`${page} names only files, scripts and npm scripts that are there`, async () => {
      const text = await read(page);
      // `build/` and `release/` are made; `buildkite` is the example.
      const paths = text.match(/(?<![\w./-])(?:src|test|scripts|packaging|docs|\.ci)\/[\w./-]*\w/g) ?? [];
      assert.ok(paths.length > 0);
      for (const path of new Set(paths))
        if (!path.includes("buildkite")) await access(new URL(path, root)).catch(() => assert.fail(path));
      const manifest = JSON.parse(await read("package.json")) as { readonly scripts: Readonly<Record<string, string>> };
      for (const [, name = ""] of text.matchAll(/npm run (\w+)/g)) assert.ok(name in manifest.scripts, name);
    });
  }

  test("CONTRIBUTING.md names only what the code has in the six steps of a new source", async () => {
    const text = await read("CONTRIBUTING.md");
    const names = ["IdentitySource", "IDENTITIES", "SOURCES", "SOURCE_VALUES", "checkToken"];
    const codes = text.match(/\bIDENTITY_[A-Z]+\b/g) ?? [];
    const folders = ["src/config", "src/sources", "src/base"];
    const sources: string[] = [];
    for (const folder of folders)
      for (const name of await readdir(new URL(folder, root))) sources.push(await read(`${folder}/${name}`));
    const code = sources.join("\n");
    for (const name of [...names, ...codes]) {
      assert.ok(text.includes(name), name);
      assert.match(code, new RegExp(`\\b${name}\\b`));
    }
  });
});

suite("the workflow", () => {
  test("pins every action by the hash of its commit, says the tag, and gives no job more than reading", async () => {
    for (const name of await readdir(new URL(".github/workflows", root))) {
      const text = await read(`.github/workflows/${name}`);
      const workflow = parse(text) as { readonly permissions: unknown; readonly jobs: Readonly<Record<string, Job>> };
      assert.deepEqual(workflow.permissions, {});
      for (const line of text.split("\n").filter((one) => one.includes("uses:")))
        assert.match(line, /uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
      for (const [id, job] of Object.entries(workflow.jobs)) {
        assert.deepEqual(job.permissions, { contents: "read" }, id);
        assert.ok((job["timeout-minutes"] ?? 360) <= 30, id);
      }
    }
  });

  test("runs what .ci/run runs on every promised Node.js and three systems", async () => {
    const { jobs } = parse(await read(".github/workflows/test.yml")) as {
      readonly jobs: Readonly<Record<string, Job>>;
    };
    assert.deepEqual(jobs["test"]?.strategy?.matrix, {
      node: [20, 22, 24, 26],
      system: ["ubuntu-latest", "macos-latest", "windows-latest"],
    });
    assert.ok(jobs["test"].steps.some(({ run }) => run === "scripts/test"));
    assert.match(await read(".ci/run"), /scripts\/test\b/);
  });

  test("the issue forms and the rest of .github are YAML that GitHub's schema of forms would take", async () => {
    for (const name of ["bug.yml", "idea.yml"]) {
      const form = parse(await read(`.github/ISSUE_TEMPLATE/${name}`)) as {
        readonly name: string;
        readonly description: string;
        readonly body: readonly {
          readonly type: string;
          readonly id?: string;
          readonly attributes: { readonly label?: string };
        }[];
      };
      assert.ok(form.name !== "" && form.description !== "");
      const fields = form.body.filter(({ type }) => type !== "markdown");
      for (const { type, id, attributes } of fields) {
        assert.match(type, /^(?:textarea|input|dropdown|checkboxes)$/);
        assert.match(id ?? "", /^[\w-]+$/);
        assert.notEqual(attributes.label ?? "", "");
      }
      assert.equal(new Set(fields.map(({ id }) => id)).size, fields.length);
    }
  });
});
