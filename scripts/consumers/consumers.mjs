// The programs that read what rolefresh writes: how each is asked, and where it is found.
import { execFile, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const readers = fileURLToPath(new URL("readers/", import.meta.url));

/** Debian's own: others may stand before it in the PATH. */
const PYTHON = "/usr/bin/python3";
const AWS = "/usr/bin/aws";

/** A mount namespace of its own; its user is root there. */
const UNSHARE = process.geteuid() === 0 ? ["unshare", "--mount"] : ["unshare", "--mount", "--map-root-user"];
const passwordHome = () => output("getent", ["passwd", "0"]).split(":")[5];

/**
 * Each consumer has `missing()`: why it cannot be asked here, and `ask(request)`: what it read. A request holds `profile`,
 * `sts` and `s3` (endpoints), `bucket` (a name of its own) and `env`. The answer holds `accessKeyId`, `secretAccessKey`,
 * `sessionToken` and `arn` as far as the program can tell; what it cannot tell its signature proves.
 */
export function consumersIn({ goBinaries, nodeModules }) {
  const python = (module, file, interpreter = PYTHON) => ({
    missing: () => lacks(interpreter, ["-c", `import ${module}`], `${interpreter} has no ${module}`),
    ask: ({ profile, sts, env }) => json(interpreter, [join(readers, file), profile, sts], env),
  });
  const pythonVersion = (expression, module, interpreter = PYTHON) => () =>
    output(interpreter, ["-c", `import ${module}; print(${expression})`]);
  const ruby = (library, file) => ({
    missing: () => lacks("ruby", ["-e", `$VERBOSE = nil; require "${library}"`], `ruby has no ${library}`),
    ask: ({ profile, sts, env }) => json("ruby", ["-W0", join(readers, file), profile, sts], env),
  });
  const go = (name) => ({
    missing: () => (existsSync(join(goBinaries, name)) ? undefined : "Go or its SDK's package is not here, or does not build"),
    ask: ({ profile, sts, env }) => json(join(goBinaries, name), [profile, sts], env),
  });
  return [
    {
      name: "AWS CLI 2",
      version: () => output(AWS, ["--version"]).split(/[/ ]/)[1],
      missing: () => lacks(AWS, ["--version"], "awscli is not installed"),
      async ask({ profile, sts, env }) {
        const base = ["--profile", profile, "--region", "eu-west-1", "--endpoint-url", sts, "--output", "json"];
        const { AccessKeyId, SecretAccessKey, SessionToken } = await json(AWS, ["configure", "export-credentials", "--profile", profile], env);
        const { Arn } = await json(AWS, ["sts", "get-caller-identity", ...base], env);
        return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken, arn: Arn };
      },
    },
    { name: "botocore", version: pythonVersion("botocore.__version__", "botocore"), ...python("botocore", "botocore_reader.py") },
    {
      name: "botocore of the PATH",
      version: pythonVersion("botocore.__version__", "botocore", "python3"),
      ...python("botocore", "botocore_reader.py", "python3"),
    },
    { name: "boto3", version: pythonVersion("boto3.__version__", "boto3"), ...python("boto3", "boto3_reader.py") },
    { name: "boto 2", version: pythonVersion("boto.Version", "boto"), ...python("boto", "boto2_reader.py") },
    {
      name: "JavaScript v2",
      version: () => JSON.parse(readFileSync(join(nodeModules, "aws-sdk", "package.json"), "utf8")).version,
      missing: () => (existsSync(join(nodeModules, "aws-sdk")) ? undefined : "aws-sdk could not be installed from npm"),
      ask: ({ profile, sts, env }) =>
        json(process.execPath, [join(readers, "js_v2_reader.cjs"), profile, sts], {
          ...env,
          NODE_PATH: nodeModules,
          AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: "1",
        }),
    },
    {
      name: "JavaScript v3",
      version: () => JSON.parse(readFileSync(fileURLToPath(import.meta.resolve("@aws-sdk/client-sts/package.json")), "utf8")).version,
      missing: () => undefined,
      // GRAMMAR of parseIni.ts: a section with a blank in its name is dropped.
      cannot: (profile) => (profile.includes(" ") ? "its loader drops names with a blank" : undefined),
      ask: ({ profile, sts, env }) => json(process.execPath, [join(readers, "js_v3_reader.mjs"), profile, sts], env),
    },
    { name: "Go v1", version: () => debian("golang-github-aws-aws-sdk-go-dev"), ...go("go_v1") },
    { name: "Go v2", version: () => debian("golang-github-aws-aws-sdk-go-v2-dev"), ...go("go_v2") },
    { name: "Ruby v1", version: () => debian("ruby-aws-sdk"), ...ruby("aws-sdk", "ruby_v1_reader.rb") },
    {
      name: "Ruby v3",
      version: () => debian("ruby-aws-sdk-core"),
      cannot: (profile, file) => (file.name === "indented keys" ? "its parser takes every indented key for a nested one, also those that stood there before" : undefined),
      ...ruby("aws-sdk-core", "ruby_v3_reader.rb"),
    },
    {
      name: "rclone",
      version: () => output("rclone", ["version"]).split(/\s/)[1],
      missing: () => lacks("rclone", ["version"], "rclone is not installed"),
      ask: ({ profile, s3, bucket, env }) =>
        // Its connection strings take `:` and `,` for their own, so the profile comes by the environment.
        run("rclone", ["lsf", `:s3,provider=Other,env_auth=true,region=eu-west-1,endpoint="${s3}":${bucket}`, "--retries=1", "--low-level-retries=1"], {
          ...env,
          AWS_PROFILE: profile,
        }),
    },
    {
      name: "s3fs",
      version: () => output("s3fs", ["--version"]).split(/\s+/).find((word) => /^V\d/.test(word)),
      missing: () => lacks("s3fs", ["--version"], "s3fs is not installed") ?? lacks(UNSHARE[0], [...UNSHARE.slice(1), "true"], "no mount namespace can be made here"),
      // It reads ~/.aws/credentials of the user in the password file, whatever $HOME says: the home is mounted there, for it
      // alone. Listing multipart uploads signs as a mount does, and needs no FUSE.
      ask: ({ profile, s3, bucket, env }) => {
        const s3fs = ["s3fs", "-u", bucket, "-o", `url=${s3},endpoint=eu-west-1,use_path_request_style,retries=1`, "-o", `profile=${profile}`];
        return run(UNSHARE[0], [...UNSHARE.slice(1), "sh", "-c", 'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh", env.HOME, passwordHome(), ...s3fs], env);
      },
    },
    {
      name: "s3cmd",
      version: () => output("s3cmd", ["--version"]).split(/\s+/).at(-1),
      missing: () => lacks("s3cmd", ["--version"], "s3cmd is not installed"),
      ask({ profile, s3, bucket, env }) {
        const host = new URL(s3).host;
        const options = ["--no-ssl", `--host=${host}`, `--host-bucket=${host}`, "--region=eu-west-1"];
        return run("s3cmd", ["ls", `s3://${bucket}`, ...options], { ...env, AWS_PROFILE: profile, AWS_CREDENTIAL_FILE: env.AWS_SHARED_CREDENTIALS_FILE });
      },
    },
  ];
}

function lacks(program, args, reason) {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0 ? undefined : reason;
}

function output(program, args) {
  return spawnSync(program, args, { encoding: "utf8" }).stdout.trim();
}

function debian(name) {
  return output("dpkg-query", ["-W", "-f=${Version}", name]);
}

function run(program, args, env) {
  return new Promise((resolve, reject) => {
    execFile(program, args, { env: { PATH: process.env.PATH.split(delimiter).join(delimiter), ...env }, timeout: 60_000 }, (error, stdout, stderr) => {
      // What a program says may hold the keys: the first line alone, and nothing long in it.
      if (error) reject(new Error(`${program}: ${stderr.trim().split("\n").at(-1)?.replaceAll(/\S{40,}/g, "[…]").slice(0, 300) ?? error.code}`));
      else resolve({ stdout });
    });
  });
}

async function json(program, args, env) {
  const { stdout } = await run(program, args, env);
  return JSON.parse(stdout);
}
