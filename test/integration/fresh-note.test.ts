import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, unlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fc } from "../support/property.ts";

import { main } from "../../src/main.ts";
import { tick } from "../../src/tick.ts";
import { type TempHome, tempHome } from "../support/temp-home.ts";
import { testWorld } from "../support/test-world.ts";

/** The fast path of a tick, `src/command/run/fresh-note.ts`, against the whole way. */

const ROLE =
  "role_arn = arn:aws:iam::123412341234:role/App\nidentity = gcp-metadata\nrole_session_name = on-{profile}\n";
/** So far ahead of the file system's clock that every file is settled. */
const AHEAD_MS = 3600_000;
const CONFIG = ".aws/rolefresh.ini";
const CREDENTIALS = ".aws/credentials";

function section(profile: string, minutesLeft: number): string {
  const expires = new Date(Date.now() + AHEAD_MS + minutesLeft * 60_000).toISOString().replace(/\.\d+Z$/, "Z");
  return (
    `[${profile}]\naws_access_key_id = ASIA1\naws_secret_access_key = s\naws_session_token = t\naws_security_token = t\n` +
    `x_principal_arn = arn:aws:sts::123412341234:assumed-role/App/on-${profile}\nx_security_token_expires = ${expires}\nmanager = rolefresh\n`
  );
}

/** What may change between two ticks; each leaves the scene in some valid or broken state. */
interface Scene extends AsyncDisposable {
  readonly home: TempHome;
  readonly cache: string;
  readonly env: Record<string, string>;
  hostname: string;
  offsetMs: number;
  profiles: readonly string[];
}

const CHANGES: Readonly<Record<string, (scene: Scene) => Promise<unknown> | void>> = {
  nothing: () => undefined,
  "the same bytes written again": async ({ home }) => {
    const text = await readFile(home.credentials, "utf8").catch(() => "");
    await home.write(CREDENTIALS, text);
  },
  "all fresh": ({ home }) => home.write(CREDENTIALS, section("a", 55) + section("b", 58)),
  "one due, the same length": ({ home }) => home.write(CREDENTIALS, section("a", 55) + section("b", 11)),
  "one expired": ({ home }) => home.write(CREDENTIALS, section("a", -5) + section("b", 58)),
  "somebody else's section": ({ home }) =>
    home.write(CREDENTIALS, "[a]\naws_access_key_id = AKIAX\naws_secret_access_key = s\n" + section("b", 58)),
  "a section twice": ({ home }) => home.write(CREDENTIALS, section("a", 55) + section("b", 58) + section("b", 58)),
  "no file": ({ home }) => rm(home.credentials, { force: true }),
  "a link to another file": async ({ home }) => {
    await home.write(".aws/other", section("a", 55) + section("b", 1));
    await rm(home.credentials, { force: true });
    await symlink("other", home.credentials);
  },
  "what a write in place left": async ({ home }) => {
    await home.write(".aws/.credentials.rolefresh-journal", "x");
  },
  "that is gone": ({ home }) => rm(`${home.path}/.aws/.credentials.rolefresh-journal`, { force: true }),
  "the config as it was": ({ home }) => home.write(CONFIG, `[a]\n${ROLE}\n[b]\n${ROLE}`),
  "another role": ({ home }) => home.write(CONFIG, `[a]\n${ROLE.replace("App", "Web")}\n[b]\n${ROLE}`),
  "a longer window": ({ home }) => home.write(CONFIG, `[*]\nrefresh_before = 57m\n[a]\n${ROLE}\n[b]\n${ROLE}`),
  "a broken config": ({ home }) => home.write(CONFIG, `[a]\nrole = x\n`),
  "no config": ({ home }) => unlink(home.config).catch(() => undefined),
  "another config": async ({ home, env }) => {
    env["ROLEFRESH_CONFIG"] = await home.write("other.ini", `[c]\n${ROLE}`);
  },
  "no other config": ({ env }) => void delete env["ROLEFRESH_CONFIG"],
  "another credentials file": async ({ home, env }) => {
    env["AWS_SHARED_CREDENTIALS_FILE"] = await home.write("elsewhere", section("a", 40));
  },
  "no other credentials file": ({ env }) => void delete env["AWS_SHARED_CREDENTIALS_FILE"],
  "another host": (scene) => {
    scene.hostname = scene.hostname === "host-a" ? "host-b" : "host-a";
  },
  "five minutes later": (scene) => {
    scene.offsetMs += 5 * 60_000;
  },
  "half an hour later": (scene) => {
    scene.offsetMs += 30 * 60_000;
  },
  "the clock put back": (scene) => {
    scene.offsetMs = 0;
  },
  "one profile asked for": (scene) => {
    scene.profiles = ["b"];
  },
  "every profile asked for": (scene) => {
    scene.profiles = [];
  },
};

const RESETS = ["no other config", "no other credentials file", "that is gone"];

function worldOf(scene: Scene, argv: readonly string[], cache: string) {
  return testWorld({
    argv,
    env: { ...scene.env, XDG_CACHE_HOME: cache },
    home: scene.home.path,
    hostname: scene.hostname,
    now: new Date(Date.now() + AHEAD_MS + scene.offsetMs),
  });
}

async function openHome(): Promise<Scene> {
  const home = await tempHome();
  await home.write(CONFIG, `[a]\n${ROLE}\n[b]\n${ROLE}`);
  await home.write(CREDENTIALS, section("a", 55) + section("b", 58));
  const cache = `${home.path}/cache`;
  await mkdir(cache, { mode: 0o700 });
  return {
    home,
    cache,
    env: {},
    hostname: "host-a",
    offsetMs: 0,
    profiles: [],
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

/** What is in the cache. */
const notes = (cache: string) => readdir(`${cache}/rolefresh`).catch(() => []);

describe("the note that all is fresh", () => {
  test("whatever happens between two ticks, it never gives another answer than the files do", async (t) => {
    let quick = 0;
    let asked = 0;
    await using scene = await openHome();
    const { cache } = scene;
    const compare = async (names: readonly string[]) => {
      // Longer than a tick of any kernel's clock: the files are far from settled, and only the test says they are.
      await sleep(12);
      const argv = ["check", ...scene.profiles];
      const known = tick(worldOf(scene, argv, cache));
      const told = await main(worldOf(scene, argv, "/proc/none"));
      asked++;
      if (known !== undefined) {
        quick++;
        assert.equal(known, told, `after ${names.join(", ")}`);
      }
      assert.equal(await main(worldOf(scene, argv, cache)), told);
    };
    const change = fc.constantFrom(...Object.keys(CHANGES));
    const property = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (names) => {
      for (const name of ["all fresh", "the config as it was", ...RESETS]) await CHANGES[name]?.(scene);
      Object.assign(scene, { hostname: "host-a", offsetMs: 0, profiles: [] });
      assert.equal(await main(worldOf(scene, ["check"], cache)), 1);
      for (const [index, name] of names.entries()) {
        await CHANGES[name]?.(scene);
        await compare(names.slice(0, index + 1));
      }
    });
    await fc.assert(property, { numRuns: 200, endOnFailure: true });
    assert.ok(quick > 40, `the fast path answered ${quick} times of ${asked}`);
    t.diagnostic(`${asked} ticks, ${quick} of them answered by the note`);
  });

  test("refresh and check leave it and believe it; what must say or write something does not", async () => {
    await using scene = await openHome();
    const { cache } = scene;
    const known = (argv: readonly string[], isTTY = false) => tick({ ...worldOf(scene, argv, cache), out: { isTTY } });
    assert.equal(known(["refresh"]), undefined);
    assert.equal(await main(worldOf(scene, ["refresh"], cache)), 0);
    assert.equal(known(["refresh"]), 0);
    assert.equal(known([]), 0);
    assert.equal(known(["check"]), 1);
    assert.equal(known(["refresh", "--quiet"], true), 0);
    assert.equal(known(["check"], true), 1);
    for (const argv of [
      ["refresh", "--metrics-file", "/tmp/m"],
      ["refresh", "--force"],
      ["refresh", "--json"],
      ["refresh", "b"],
      ["status"],
    ])
      assert.equal(known(argv), undefined, argv.join(" "));
    assert.equal(known(["refresh"], true), undefined);
  });

  test("it answers its own question only, from when it was left until the first profile becomes due", async () => {
    await using scene = await openHome();
    const { cache } = scene;
    await main(worldOf(scene, ["check"], cache));
    const world = worldOf(scene, ["check"], cache);
    const minutesLater = (minutes: number) => ({ now: () => new Date(world.now().getTime() + minutes * 60_000) });
    assert.equal(tick({ ...world, ...minutesLater(15) }), 1);
    for (const [what, other] of [
      ["the clock put back", minutesLater(-1)],
      ["half of a's hour is over", minutesLater(26)],
      ["another host", { hostname: "host-b" }],
      ["another directory", { cwd: "/tmp" }],
      ["another region", { env: { ...world.env, AWS_REGION: "eu-west-1" } }],
      ["another config", { argv: ["check", "--config", scene.home.config] }],
      ["another credentials file", { argv: ["check", "--credentials-file", scene.home.credentials] }],
      ["fewer profiles", { argv: ["check", "a"] }],
      ["another home", { home: `${scene.home.path}/` }],
    ] as const) {
      assert.equal(tick({ ...world, ...other }), undefined, what);
    }
    assert.equal(tick(world), 1);
  });

  test("a file that changed within the last two seconds leaves none: its next change may have the same stamp", async () => {
    await using scene = await openHome();
    const { cache } = scene;
    scene.offsetMs = -AHEAD_MS;
    await scene.home.write(CREDENTIALS, section("a", -5) + section("b", -2));
    assert.equal(await main(worldOf(scene, ["check"], cache)), 1);
    assert.equal(tick(worldOf(scene, ["check"], cache)), undefined);
    assert.deepEqual(await notes(cache), []);
  });

  for (const [what, text] of [
    ["empty", ""],
    ["no JSON", "{"],
    ["no note", '{"question":1}'],
    ["null", "null"],
    ["zeros, as a power cut leaves them", "\0".repeat(200)],
  ] as const) {
    test(`one that is damaged counts as none: ${what}`, async () => {
      await using scene = await openHome();
      const { cache } = scene;
      await main(worldOf(scene, ["check"], cache));
      const [name] = await notes(cache);
      assert.match(name ?? "", /^fresh-[\da-f]+\.json$/);
      await writeFile(`${cache}/rolefresh/${name}`, text);
      assert.equal(tick(worldOf(scene, ["check"], cache)), undefined);
      assert.equal(await main(worldOf(scene, ["check"], cache)), 1);
      assert.equal(tick(worldOf(scene, ["check"], cache)), 1);
    });
  }

  for (const [what, spoil] of [
    ["that others may write", (path: string) => chmod(path, 0o622)],
    [
      "that is a link",
      async (path: string) => {
        await writeFile(`${path}.real`, await readFile(path), { mode: 0o600 });
        await unlink(path);
        await symlink(`${path}.real`, path);
      },
    ],
    ["in a directory that others may write", (path: string) => chmod(dirname(path), 0o777)],
  ] as const) {
    test(`one ${what} is not believed`, async () => {
      await using scene = await openHome();
      const { cache } = scene;
      await main(worldOf(scene, ["check"], cache));
      const [name] = await notes(cache);
      assert.equal(tick(worldOf(scene, ["check"], cache)), 1);
      await spoil(`${cache}/rolefresh/${name}`);
      assert.equal(tick(worldOf(scene, ["check"], cache)), undefined);
    });
  }

  test("it holds no secrets, is the user's alone, and the config-free form leaves none", async () => {
    await using scene = await openHome();
    const { cache } = scene;
    scene.env["AWS_SECRET_ACCESS_KEY"] = "do-not-keep-this";
    const argv = [
      "refresh",
      "--role-arn",
      "arn:aws:iam::123412341234:role/App",
      "--profile",
      "a",
      "--role-session-name",
      "on-a",
    ];
    assert.equal(await main(worldOf(scene, argv, cache)), 0);
    assert.deepEqual(await notes(cache), []);
    await main(worldOf(scene, ["check"], cache));
    const [name] = await notes(cache);
    const text = await readFile(`${cache}/rolefresh/${name}`, "utf8");
    assert.doesNotMatch(text, /do-not-keep-this|ASIA1/);
    assert.equal((await stat(`${cache}/rolefresh/${name}`)).mode & 0o777, 0o600);
    assert.equal((await stat(`${cache}/rolefresh`)).mode & 0o777, 0o700);
  });
});
