import assert from "node:assert/strict";
import { access, readdir, readFile } from "node:fs/promises";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";

import { type DocsMachine, openDocsMachine } from "../support/docs-machine.ts";
import { refreshAsInPod } from "../support/docs-kubernetes.ts";
import { blocksOf, commandsOf, type DocsBlock, firstMissing } from "../support/docs-page.ts";
import { commandsOfContainer, commandsOfPipeline } from "../support/docs-pipeline.ts";
import { type RunResult, runProgram } from "../support/run-bin.ts";
import { toolMissing } from "../support/tool.ts";
import type { TrustPolicy } from "../sandbox/sandbox.ts";

const docs = new URL("../../../docs/", import.meta.url);
/** The index, and reports that scripts write: their links are checked, their blocks are not run. */
const REPORTS = /^[A-Z]+\.md$/;
const noBash = toolMissing("bash", ["-c", ":"]);
const pages = (await readdir(docs)).filter((name) => name.endsWith(".md")).toSorted();
const guides = pages.filter((name) => !REPORTS.test(name));

/** Only shown: other languages' configuration and code. */
const SHOWN = new Set(["", "python", "java", "properties", "diff"]);
/** `sudo`, and machines that are not here. */
const ELSEWHERE =
  /^(?:\w+=\S+ )?(?:\w+=\$\()?(sudo|docker|kubectl|gcloud|az|aws|systemctl|journalctl|npm|s3fs|rclone|s3cmd|duplicity|java|python|saml2aws)\b/;

/** Their output is followed as well. */
const MAKES_A_MANIFEST = new Set(["gke.md", "kubernetes.md"]);

/** One guide being followed, from top to bottom, on its machine. */
class Follower {
  readonly #machine: DocsMachine;
  readonly #page: string;
  readonly #role: string | undefined;
  #output = "";
  #config: string | undefined;
  /** How many manifests were followed. */
  manifests = 0;

  constructor(machine: DocsMachine, page: string, blocks: readonly DocsBlock[]) {
    this.#machine = machine;
    this.#page = page;
    const text = blocks.map((block) => block.text).join("\n");
    this.#role = /^role_arn = (\S+)$|--role-arn (\S+)/m
      .exec(text)
      ?.slice(1)
      .find((arn) => arn !== undefined);
  }

  async follow(block: DocsBlock): Promise<void> {
    switch (block.language) {
      case "ini":
        return this.#writeFile(block);
      case "json":
        return this.#attachPolicy(block);
      case "sh":
        this.#output = await this.#run(block.text, block.line);
        return this.#followManifest(block);
      case "text": {
        const missing = firstMissing(block.text, this.#output);
        assert.equal(
          missing,
          undefined,
          `${this.#at(block.line)}: not printed: ${missing}\n--- printed:\n${this.#output}`,
        );
        return;
      }
      case "console":
        for (const { command, line } of commandsOf(block)) await this.#parse(command, line);
        return;
      case "yaml":
        for (const command of commandsOfPipeline(block.text)) await this.#run(command, block.line);
        return;
      case "dockerfile":
        for (const command of commandsOfContainer(block.text)) await this.#run(command, block.line);
        return;
      default:
        assert.ok(
          SHOWN.has(block.language),
          `${this.#at(block.line)}: nobody knows what to do with '${block.language}'`,
        );
    }
  }

  /** What the guide made for a cluster must work there. */
  async #followManifest({ text, line }: DocsBlock): Promise<void> {
    const [, manifest] = /rolefresh schedule kubernetes [^|;&]*> (\S+)/.exec(text) ?? [];
    if (manifest === undefined) return;
    assert.ok(this.#config !== undefined, `${this.#at(line)}: no config stands above`);
    await refreshAsInPod(this.#machine, manifest, this.#config);
    this.manifests++;
  }

  #at(line: number): string {
    return `docs/${this.#page}:${line}`;
  }

  async #writeFile({ text, line }: DocsBlock): Promise<void> {
    const name = /^# ~\/(\S+)\n/.exec(text)?.[1];
    assert.ok(name !== undefined, `${this.#at(line)}: the first line must be '# ~/FILE'`);
    await this.#machine.home.write(name, text);
    if (name === ".aws/rolefresh.ini") this.#config = text;
  }

  /** A trust policy becomes that of the guide's first role: whoever is let in afterwards was let in by it. */
  #attachPolicy({ text, line }: DocsBlock): void {
    const policy: unknown = JSON.parse(text);
    assert.ok(this.#role !== undefined, `${this.#at(line)}: no config names the role of this policy`);
    this.#machine.sandbox.addRole({ arn: this.#role, trustPolicy: policy as TrustPolicy, maxSessionDuration: 43_200 });
  }

  /** @returns both streams of the commands, which must all end with 0 */
  async #run(script: string, line: number): Promise<string> {
    const trap = `trap 'echo "@$LINENO" >&2' ERR\nset -Eeuo pipefail\n`;
    const { code, stdout, stderr } = await this.#sh(["-c", `${trap}${script}`]);
    const failed = Number(/@(\d+)\n/.exec(stderr)?.[1] ?? 3) - 3;
    assert.equal(code, 0, `${this.#at(line + failed)}: exit status ${code}\n${stdout}${stderr}`);
    return stdout + stderr;
  }

  /** A command for somewhere else: a shell must be able to read it. A scheduler's is tried without being installed. */
  async #parse(command: string, line: number): Promise<void> {
    const { code, stderr } = await this.#sh(["-n", "-c", command]);
    assert.equal(code, 0, `${this.#at(line)}: ${stderr}`);
    const [, schedule] = /^sudo (rolefresh schedule [^|>&;]*)$/.exec(command) ?? [];
    if (schedule !== undefined) await this.#run(schedule.replace(" --install", ""), line);
    else assert.match(command, ELSEWHERE, `${this.#at(line)}: can be run here: make it a sh block`);
  }

  #sh(args: readonly string[]): Promise<RunResult> {
    const { env, home } = this.#machine;
    return runProgram("bash", ["--noprofile", "--norc", ...args], { env, cwd: home.path });
  }
}

suite("the guides in docs/", { concurrency: 2 }, () => {
  for (const page of guides) {
    test(`docs/${page} can be followed from top to bottom`, { skip: noBash ?? false }, async () => {
      const blocks = blocksOf(await readFile(new URL(page, docs), "utf8"));
      assert.ok(
        blocks.some(({ language, text }) => language === "sh" && text.includes("rolefresh")),
        "it runs nothing",
      );
      await using machine = await openDocsMachine(page.replace(/\.md$/, ""));
      const follower = new Follower(machine, page, blocks);
      for (const block of blocks) await follower.follow(block);
      assert.equal(follower.manifests > 0, MAKES_A_MANIFEST.has(page), "whether it makes a manifest");
      // Every restart that the guide's hook asks for was really asked of systemctl.
      const hooks = blocks.flatMap(({ text }) => [...text.matchAll(/^on_refresh = systemctl (.+)$/gm)]);
      for (const [, asked = ""] of hooks)
        assert.ok((await machine.home.read("systemctl.log")).split("\n").includes(asked), asked);
    });
  }

  test("each ends with the check that it works", async () => {
    for (const page of guides) {
      const text = await readFile(new URL(page, docs), "utf8");
      const last = text.slice(text.lastIndexOf("\n## "));
      assert.match(last, /^\n## Check that it works\n[\s\S]*```sh\n/, page);
    }
  });

  test("are all in the index, and every link between pages leads somewhere", async () => {
    const index = await readFile(new URL("README.md", docs), "utf8");
    for (const page of guides) assert.ok(index.includes(`](${page})`), `docs/README.md does not name ${page}`);
    for (const page of [...pages, "../README.md"]) {
      const url = new URL(page, docs);
      const text = await readFile(url, "utf8");
      for (const [, target = ""] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        await assert.doesNotReject(access(fileURLToPath(new URL(target, url))), `${page} links to ${target}`);
      }
    }
  });
});
