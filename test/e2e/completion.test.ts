import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { suite, test } from "node:test";

import { BIN, runProgram } from "../support/run-bin.ts";
import { ONE_ROLE, openScene, type Scene, THREE_ROLES } from "../support/scene.ts";
import { toolMissing } from "../support/tool.ts";

const BASH_COMPLETION = "/usr/share/bash-completion/bash_completion";
const CONFIG = `${THREE_ROLES}\n[team a/b]\nrole_arn = x\n\n[dev:eu]\nrole_arn = x\n`;

/** A home with `rolefresh` on the PATH, as an installed one would be. */
async function installed(): Promise<{ readonly scene: Scene; readonly env: Readonly<Record<string, string>> }> {
  const scene = await openScene(CONFIG);
  const program = await scene.home.write("bin/rolefresh", `#!/bin/sh\nexec "${process.execPath}" "${BIN}" "$@"\n`);
  await chmod(program, 0o755);
  return { scene, env: { ...scene.env, PATH: `${scene.home.path}/bin:/usr/bin:/bin`, TERM: "dumb" } };
}

/** What is typed (the last word half), and what every shell must offer for it. */
const CASES: readonly (readonly [string, readonly string[]])[] = [
  ["rolefresh rem", ["remove"]],
  ["rolefresh status --min", ["--min-ttl"]],
  ["rolefresh refresh --write-mode in", ["in-place"]],
  ["rolefresh status --ver", ["--verbose", "--version"]],
  ["rolefresh refresh --identity=gcl", ["--identity=gcloud"]],
  ["rolefresh refresh prod", ["prod.admin"]],
  ["rolefresh refresh dev:", ["dev:eu"]],
  ["rolefresh refresh team", ["team a/b"]],
  ["rolefresh exec bil", ["billing"]],
  ["rolefresh completion z", ["zsh"]],
  ["rolefresh schedule sys", ["systemd"]],
];

/** What the shell itself must offer: files, and a command line of its own. In bash readline does it, after the function. */
function shellCases(home: string): readonly (readonly [string, readonly string[]])[] {
  return [
    [`rolefresh --config ${home}/bi`, [`${home}/bin/`]],
    [`rolefresh --config=${home}/bi`, [`--config=${home}/bin/`]],
    ["rolefresh exec billing -- rolefresh status --min", ["--min-ttl"]],
    ["rolefresh exec billing -- rolefres", ["rolefresh"]],
  ];
}

suite("completion", () => {
  test("in bash", async (t) => {
    const missing = toolMissing("bash", ["-c", "((BASH_VERSINFO[0] >= 4))"]);
    if (missing !== undefined) return t.skip(missing);
    const { scene, env } = await installed();
    await using _ = scene;
    // The words as readline splits them, at COMP_WORDBREAKS too.
    const script = `
      source <(rolefresh completion bash)
      while IFS= read -r line; do
        COMP_WORDS=($(sed 's/\\([=:]\\)/ \\1 /g' <<<"$line"))
        COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
        _rolefresh
        printf '%s\\n' "\${COMPREPLY[@]}" | sort | paste -sd'|'
      done`;
    const typed = CASES.map(([line]) => line).join("\n");
    const args = ["-c", `printf '%s\\n' "$1" | bash --norc -c "$2"`, "bash", typed, script];
    const { code, stdout, stderr } = await runProgram("bash", args, { env });
    assert.deepEqual([code, stderr], [0, ""]);
    const expected = CASES.map(([line, values]) =>
      // What bash has already, up to the last = or :, is not offered again; a blank is escaped.
      values
        .map((value) => (/[=:]\S*$/.test(line) ? value.replace(/^.*[=:]/, "") : value).replaceAll(" ", "\\ "))
        .toSorted()
        .join("|"),
    );
    assert.deepEqual(stdout.trimEnd().split("\n"), expected);
  });

  test("in bash, the command after -- is completed by its own completion", async (t) => {
    if (!existsSync(BASH_COMPLETION)) return t.skip("bash-completion is not installed here");
    const { scene, env } = await installed();
    await using _ = scene;
    const script = `
      source ${BASH_COMPLETION}; source <(rolefresh completion bash)
      _tool() { COMPREPLY=("tool:\${COMP_WORDS[*]}"); }; complete -F _tool tool
      COMP_WORDS=(rolefresh exec billing -- tool --x); COMP_CWORD=5
      COMP_LINE="\${COMP_WORDS[*]}"; COMP_POINT=\${#COMP_LINE}
      _rolefresh; echo "\${COMPREPLY[0]}"`;
    const { stdout } = await runProgram("bash", ["--norc", "-c", script], { env });
    assert.equal(stdout, "tool:tool --x\n");
  });

  test("in fish", async (t) => {
    const missing = toolMissing("fish", ["--version"]);
    if (missing !== undefined) return t.skip(missing);
    const { scene, env } = await installed();
    await using _ = scene;
    const cases = [...CASES, ...shellCases(scene.home.path)];
    const lines = cases.map(
      ([line]) => `complete -C '${line}' | string replace -r '\\t.*' '' | sort | string join '|'`,
    );
    // `string join` fails where there is nothing to join.
    const script = `rolefresh completion fish | source\n${lines.join("\n")}\ntrue`;
    const { code, stdout, stderr } = await runProgram("fish", ["--no-config", "-c", script], { env });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.deepEqual(
      stdout.trimEnd().split("\n"),
      cases.map(([, values]) => values.toSorted().join("|")),
    );
  });

  test("in zsh, at its line editor", async (t) => {
    const missing = toolMissing("zsh", ["-fc", "zmodload zsh/zpty"]);
    if (missing !== undefined) return t.skip(missing);
    const { scene, env } = await installed();
    await using _ = scene;
    // An interactive zsh on a pseudo-terminal: Tab is typed, and compadd says what it was given.
    const setup = `
      PS1= ; unsetopt prompt_cr prompt_sp; autoload -U compinit; compinit -u -D
      source <(rolefresh completion zsh)
      zstyle ':completion:*' list-prompt ''
      bindkey '^I' report; bindkey '^J' accept-line
      compadd() {
        if [[ $1 == -[OAD] || \${@[(I)-[OAD]]} -gt 0 ]]; then builtin compadd "$@"; return; fi
        local -a hits; builtin compadd -O hits "$@"; print -rl -- offered:\${^hits}; builtin compadd "$@"
      }
      report() { zle complete-word; print; print done-$((++count)).; zle kill-buffer; }
      zle -N report; zle -C complete-word .complete-word _main_complete`;
    await scene.home.write(".setup.zsh", setup);
    const script = `
      zmodload zsh/zpty
      zpty z zsh -f -i
      zpty -w z "source $HOME/.setup.zsh; echo up"
      zpty -r z line '*up*up*'
      while IFS= read -r typed; do
        zpty -w -n z "$typed"$'\\t'
        zpty -r z line "*done-$((++count)).*"
        print -r -- "$line" | tr -d '\\r' | sed -n 's/.*offered://p' | sort -u | paste -sd'|'
      done
      zpty -d z`;
    const cases = [...CASES, ...shellCases(scene.home.path)];
    const typed = cases.map(([line]) => line).join("\n");
    const args = ["-c", `printf '%s\\n' "$1" | zsh -f -c "$2"`, "sh", typed, script];
    const { stdout, stderr } = await runProgram("sh", args, { env });
    assert.equal(stderr, "");
    assert.deepEqual(
      stdout.trimEnd().split("\n"),
      // zsh names a file by its last part, and shows what it is apart.
      cases.map(([, values]) =>
        values
          .map((value) => value.replace(/^.*\/(\w+)\/$/, "$1"))
          .toSorted()
          .join("|"),
      ),
    );
  });

  test("names what remove can remove, and holds its tongue where the config is broken or missing", async () => {
    await using scene = await openScene(ONE_ROLE);
    await scene.run([]);
    await scene.home.write(".aws/rolefresh.ini", "[new]\nnonsense\n");
    const offered = await scene.run(["__complete", "remove", ""]);
    assert.deepEqual(offered, {
      code: 0,
      signal: null,
      stdout: ":words\ndefault\tprofile\nnew\tprofile\n",
      stderr: "",
    });
    const none = await scene.run(["__complete", "--config", "/nonexistent.ini", "refresh", ""]);
    assert.deepEqual(none, { code: 0, signal: null, stdout: ":words\n", stderr: "" });
  });

  test("bad input: exit status, one clear error, nothing on standard output", async () => {
    await using scene = await openScene(undefined);
    const cases: readonly (readonly [readonly string[], string])[] = [
      [[], "rolefresh: error: no shell given\nrolefresh: hint: choose one of bash, zsh, fish\n"],
      [["bsh"], "rolefresh: error: unknown shell 'bsh'\nrolefresh: hint: did you mean 'bash'?\n"],
      [["tcsh"], "rolefresh: error: unknown shell 'tcsh'\nrolefresh: hint: choose one of bash, zsh, fish\n"],
    ];
    for (const [args, stderr] of cases)
      assert.deepEqual(await scene.run(["completion", ...args]), { code: 64, signal: null, stdout: "", stderr });
  });
});
