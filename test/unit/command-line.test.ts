import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { suite, test } from "node:test";
import { inspect } from "node:util";

import { parseDuration, parseInstant, renderDuration, renderInstant } from "../../src/base/duration.ts";
import { Failure } from "../../src/base/failure.ts";
import { Secret } from "../../src/base/secret.ts";
import { COMMANDS } from "../../src/command-line/commands.ts";
import { renderHelp } from "../../src/command-line/help.ts";
import { optionsOf } from "../../src/command-line/parse.ts";
import { toInvocation } from "../../src/command-line/to-invocation.ts";
import { GLOBAL_OPTIONS } from "../../src/command-line/options.ts";
import { failedStatus, worstExitCode } from "../../src/output/exit-code.ts";
import { openProgress } from "../../src/output/progress.ts";
import { renderBug } from "../../src/output/bug.ts";
import { openReporter } from "../../src/output/report.ts";
import { renderTable } from "../../src/output/table.ts";
import { VERSION } from "../../src/version.ts";
import { testWorld } from "../support/test-world.ts";

const ARN = "arn:aws:iam::123412341234:role/r";

function failureOf(argv: readonly string[]): string {
  try {
    toInvocation(argv);
  } catch (error) {
    assert.ok(error instanceof Failure && error.code === "USAGE", String(error));
    return `${error.message} | ${error.hint}`;
  }
  return "none";
}

suite("the command line", () => {
  test("nothing means refresh of everything, with the defaults of the design", async () => {
    assert.deepEqual(toInvocation([]), {
      kind: "refresh",
      global: {
        json: false,
        quiet: false,
        verbose: false,
        logFormat: "text",
        metricsFile: undefined,
        lenient: false,
        timeoutMs: 60_000,
        concurrency: 8,
      },
      config: { configFile: undefined, credentialsFile: undefined, inline: undefined },
      profiles: [],
      force: false,
      dryRun: false,
    });
  });

  test("options stand anywhere, the last of a repeated one counts", async () => {
    const invocation = toInvocation(["--json", "refresh", "a", "--timeout", "5s", "b", "--force", "--timeout=10s"]);
    assert.ok(invocation.kind === "refresh");
    assert.deepEqual(
      [invocation.profiles, invocation.global.timeoutMs, invocation.force, invocation.global.json],
      [["a", "b"], 10_000, true, true],
    );
  });

  test("a profile that looks like a number stays a name", async () => {
    const invocation = toInvocation(["refresh", "007", "1e3"]);
    assert.ok(invocation.kind === "refresh");
    assert.deepEqual(invocation.profiles, ["007", "1e3"]);
  });

  test("the config-free form takes every key as a flag", async () => {
    const invocation = toInvocation(["--role-arn", ARN, "--profile", "p", "--duration-seconds", "900", "--overwrite"]);
    assert.ok(invocation.kind === "refresh" && invocation.config.inline);
    assert.equal(invocation.config.inline.profile, "p");
    assert.deepEqual(
      [...invocation.config.inline.values],
      [
        ["role_arn", ARN],
        ["duration_seconds", "900"],
        ["overwrite", "true"],
      ],
    );
  });

  test("check and status are read", async () => {
    assert.equal(toInvocation(["check", "a"]).kind, "check");
    const status = toInvocation(["status", "--min-ttl", "10m"]);
    assert.ok(status.kind === "status" && status.minTtlMs === 600_000);
  });

  for (const argv of [
    ["refresh", "--help"],
    ["--json", "refresh", "-h"],
    ["refresh", "--unknown", "--help"],
    ["help", "refresh"],
  ])
    test(`${argv.join(" ")} asks for the help of refresh and nothing else`, () => {
      assert.deepEqual(toInvocation(argv), { kind: "help", command: "refresh" });
    });

  test("--help alone asks for the help of the program, --version and -V for the version", () => {
    assert.deepEqual(toInvocation(["--help"]), { kind: "help", command: undefined });
    for (const flag of ["--version", "-V"]) assert.deepEqual(toInvocation(["refresh", flag]), { kind: "version" });
  });

  test("the help of a command has its usage line, its options and the exit statuses", async () => {
    for (const command of COMMANDS) {
      const help = (await renderHelp(command.name, 80)).replaceAll(/\s+/g, " ");
      assert.ok(help.startsWith(`rolefresh ${command.synopsis} ${command.describe} `), help);
      for (const { name } of optionsOf(command)) assert.ok(help.includes(` --${name} `), `${command.name} --${name}`);
      assert.match(help, /Exit status: 0 /);
    }
    const help = await renderHelp(undefined, undefined);
    for (const { name } of COMMANDS) assert.ok(help.includes(`  rolefresh ${name} `), name);
  });

  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [["--forc"], /unknown option --forc \| did you mean '--force'\?/],
    [["--xyzzy"], /unknown option --xyzzy \| see rolefresh --help/],
    [["--timeout", "5"], /--timeout 5 is not a duration/],
    [["--timeout"], /--timeout needs a value/],
    [["--timeout="], /--timeout needs a value/],
    [["--config", "--json"], /--config needs a value/],
    [["--json=x"], /--json does not take a value/],
    [["--log-format", "xml"], /unknown log format 'xml' \| choose one of text, json/],
    [["init", "x"], /unexpected argument 'x'/],
    [["-x", "--forc", "-x"], /unknown option -x, --forc/],
    [["--concurrency", "0"], /--concurrency 0 is not a number from 1 to 999/],
    [["status", "--min-ttl", "soon"], /--min-ttl soon is not a duration/],
    [["status", "--force"], /unknown option --force/],
    [["--audience", "gcp"], /--audience requires --role-arn \| add --role-arn ARN/],
    [["--profile", "x"], /--profile requires --role-arn \| name a configured profile without an option: rolefresh x/],
    [["--role-arn", ARN, "--config", "f"], /--config and --role-arn cannot be used together/],
    [
      ["refresh", "a", "--role-arn", ARN],
      /'a' and --role-arn cannot be used together \| name the section to write with --profile/,
    ],
  ];
  for (const [argv, expected] of wrong) {
    test(`${argv.join(" ")} is refused with a hint`, async () => {
      assert.match(failureOf(argv), expected);
    });
  }

  test("the version is that of package.json", async () => {
    const manifest: unknown = JSON.parse(await readFile(new URL("../../../package.json", import.meta.url), "utf8"));
    assert.ok(typeof manifest === "object" && manifest !== null && "version" in manifest);
    assert.equal(VERSION, manifest.version);
  });
});

suite("exit status", () => {
  test("every failure of check is 255, whatever global options precede it", () => {
    for (const { name, letter, value } of GLOBAL_OPTIONS) {
      if (name === "help" || name === "version") continue;
      const words = [`--${name}`, ...(letter === undefined ? [] : [`-${letter}`])];
      for (const word of words) {
        const given = value === undefined ? [word] : [word, "x"];
        assert.equal(failedStatus([...given, "check"], 64), 255, word);
        assert.equal(failedStatus([...given, "refresh", "check"], 64), 64, word);
      }
    }
    assert.equal(failedStatus(["--nonsense", "check"], 64), 255);
  });

  test("a permanent fault is never hidden behind a temporary one", () => {
    assert.equal(worstExitCode([]), 0);
    assert.equal(worstExitCode([75, 77, 69]), 77);
    assert.equal(worstExitCode([75, 76, 69, 66, 73, 74, 77, 65, 78, 70]), 70);
    for (const [better, worse] of [
      [75, 76],
      [76, 69],
      [69, 66],
      [66, 73],
      [73, 74],
      [74, 77],
      [77, 65],
      [65, 78],
      [78, 70],
    ] as const) {
      assert.equal(worstExitCode([better, worse]), worse);
    }
  });
});

suite("the voice on standard error", () => {
  const text = { quiet: false, verbose: false, logFormat: "text" } as const;

  test("a failure is one error line and one hint line, whatever a server put into it", () => {
    const world = testWorld();
    openReporter(world, text).error(
      new Failure("STS_DENIED", "denied\u001b[31m\nrolefresh: error: forged", { hint: "type this" }),
    );
    assert.equal(
      world.written.err,
      "rolefresh: error: denied [31m rolefresh: error: forged\nrolefresh: hint: type this\n",
    );
  });

  test("quiet drops warnings, not errors; details need verbose", () => {
    const world = testWorld();
    const quiet = openReporter(world, { ...text, quiet: true });
    quiet.warning("w", "h");
    quiet.detail("d");
    assert.equal(world.written.err, "");
    openReporter(world, { ...text, verbose: true }).detail("d");
    assert.equal(world.written.err, "rolefresh: info: d\n");
  });

  test("--log-format json is one object a line with stable fields", () => {
    const world = testWorld({ now: new Date("2026-11-23T10:00:00Z") });
    const reporter = openReporter(world, { ...text, logFormat: "json" });
    reporter.error(new Failure("STS_DENIED", "denied\nforged", { hint: "type this" }), "default");
    reporter.warning("careful");
    const [first, second, rest] = world.written.err.split("\n");
    const parsed = JSON.parse(first ?? "") as Record<string, unknown>;
    assert.match(String(parsed["time"]), /^2026-11-23T10:00:0\d\.\d{3}Z$/);
    assert.deepEqual(
      { ...parsed, time: 0 },
      { time: 0, level: "error", message: "denied forged", code: "STS_DENIED", profile: "default", hint: "type this" },
    );
    assert.deepEqual(Object.values(JSON.parse(second ?? "") as object).slice(1), [
      "warning",
      "careful",
      null,
      null,
      null,
    ]);
    assert.equal(rest, "");
  });

  test("lines for the journal carry their priority", () => {
    const world = testWorld();
    const reporter = openReporter({ now: world.now, err: { ...world.err, isJournal: true } }, text);
    reporter.error(new Failure("STS_DENIED", "denied", { hint: "type this" }));
    reporter.warning("careful");
    assert.equal(
      world.written.err,
      "<3>rolefresh: error: denied\n<5>rolefresh: hint: type this\n<4>rolefresh: warning: careful\n",
    );
  });

  test("a bug shows its stack and asks for a report", () => {
    assert.match(
      renderBug(new Error("outer", { cause: new TypeError("inner") })),
      /this is a bug[\s\S]*Error: outer\n\s+at [\s\S]*caused by: TypeError: inner/,
    );
  });
});

suite("output", () => {
  test("columns line up also for wide characters", () => {
    assert.equal(
      renderTable(
        ["A", "B"],
        [
          ["日本", "x"],
          ["a", "y"],
        ],
      ),
      "A     B\n日本  x\na     y\n",
    );
  });

  test("progress writes nothing when the stream is no terminal", async () => {
    const err = {
      text: "",
      isTTY: false,
      isJournal: false,
      columns: undefined,
      write: (text: string) => void (err.text += text),
    };
    const progress = await openProgress(err, true);
    progress.set("a", "assuming R");
    progress.done();
    assert.equal(err.text, "");
  });

  test("progress on a terminal shows a line per profile and takes it away", async () => {
    const err = {
      text: "",
      isTTY: true,
      isJournal: false,
      columns: 80,
      write: (text: string) => void (err.text += text),
    };
    const progress = await openProgress(err, true);
    progress.set("a", "assuming R");
    progress.set("b", "waiting");
    assert.match(err.text, /a: assuming R/);
    assert.match(err.text, /b: waiting/);
    progress.done();
    assert.ok(err.text.slice(-40).includes("\u001b["), "the lines are erased");
  });
});

suite("small types", () => {
  test("durations are read and shown", () => {
    assert.deepEqual(["90s", "25m", "1h30m", "2d"].map(parseDuration), [90_000, 1_500_000, 5_400_000, 172_800_000]);
    for (const text of ["", "5", "m", "1.5h", "-5m", "5m ago", "5M"])
      assert.equal(parseDuration(text), undefined, text);
    assert.deepEqual([0, 59_999, 60_000, 3_900_000, 183_600_000, -61_000].map(renderDuration), [
      "0s",
      "59s",
      "1m",
      "1h05m",
      "2d03h",
      "-1m",
    ]);
  });

  test("instants are RFC 3339 only: naive times and numbers are unknown, not guessed", () => {
    assert.equal(renderInstant(new Date("2026-11-23T10:00:00.999Z")), "2026-11-23T10:00:00Z");
    assert.equal(parseInstant("2026-11-23T12:00:00+02:00")?.toISOString(), "2026-11-23T10:00:00.000Z");
    for (const text of ["2026-11-23 10:00:00", "1763892000", "1763892000000", "2026-13-23T10:00:00Z", "tomorrow"])
      assert.equal(parseInstant(text), undefined, text);
  });

  test("a secret shows itself nowhere", () => {
    const secret = new Secret("hunter2");
    const shown = [
      String(secret),
      String([secret]),
      JSON.stringify({ secret }),
      inspect({ secret }, { depth: 5, showHidden: true }),
      inspect(secret),
    ];
    for (const text of shown) assert.ok(text.includes("[redacted]") && !text.includes("hunter2"), text);
    assert.equal(secret.reveal(), "hunter2");
  });
});
