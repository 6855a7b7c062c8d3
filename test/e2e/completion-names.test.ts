import assert from "node:assert/strict";
import { chmod, readFile } from "node:fs/promises";
import { suite, test } from "node:test";

import { BIN } from "../support/run-bin.ts";
import { openScene } from "../support/scene.ts";
import { type InteractiveShell, typedShellMissing, typeInto } from "../support/typed-shell.ts";

/** Names that a shell acts on where they are not quoted; each begins with a letter of its own. */
const NAMES = [
  "a$(touch ran)`touch ran`",
  'b" & touch ran & \' & touch ran & " | x',
  "c\\back\\",
  "d!bang!d:eu {a,b}*?[x-z~$HOME é ✓",
  "e>ran  (two)",
];

/** How the word is begun: bare, and in each quote. */
const OPEN = ["", '"', "'"];

/** Completion, and then the command itself says which arguments the shell gave it. */
const SETUP: Readonly<Record<InteractiveShell, string>> = {
  bash: "PS1='ready''-now>'\nbind 'set enable-bracketed-paste off'\nsource <(rolefresh completion bash)\n",
  zsh: "unsetopt prompt_cr prompt_sp; autoload -U compinit; compinit -u -D\nsource <(rolefresh completion zsh)\n",
  fish: "rolefresh completion fish | source\n",
};

suite(
  "a profile name that holds what a shell acts on is completed so that the shell hands it over as it is",
  { concurrency: true },
  () => {
    for (const shell of ["bash", "zsh", "fish"] as const) {
      test(`in ${shell}`, { skip: typedShellMissing(shell) ?? false }, async () => {
        await using scene = await openScene(NAMES.map((name) => `[${name}]\nrole_arn = x\n`).join(""));
        const program = `#!/bin/sh
case $1 in
  completion|__complete) exec "${process.execPath}" "${BIN}" "$@" ;;
  *) shift; for word; do printf '<%s>' "$word"; done >>"$HOME/given"; echo >>"$HOME/given"; echo given-now ;;
esac
`;
        await chmod(await scene.home.write("bin/rolefresh", program), 0o755);
        await scene.home.write("setup", SETUP[shell]);
        const lines = OPEN.flatMap((quote) => NAMES.map((name) => `rolefresh refresh ${quote}${name.charAt(0)}\t`));
        const env = { ...scene.env, PATH: `${scene.home.path}/bin:/usr/bin:/bin`, LC_ALL: "C.UTF-8" };
        const shown = await typeInto(shell, lines, scene.home.path, env);
        const given = (await readFile(`${scene.home.path}/given`, "utf8")).trimEnd().split("\n");
        const expected = OPEN.flatMap(() => NAMES.map((name) => `<${name}>`));
        assert.deepEqual(given, expected, shown);
        await assert.rejects(readFile(`${scene.home.path}/ran`), { code: "ENOENT" });
      });
    }
  },
);
