import { chmod } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { BIN } from "./run-bin.ts";
import { fakeCrontab, fakeSystemctl } from "./schedule-tools.ts";
import type { TempHome } from "./temp-home.ts";

/** Puts a shell script on the machine's PATH. */
export async function writeProgram(home: TempHome, name: string, script: string): Promise<void> {
  await chmod(await home.write(`bin/${name}`, `#!/bin/sh\n${script}\n`), 0o755);
}

/** What is on every machine. The schedulers are stand-ins: a guide must not touch those of the developer. */
export async function writeCommonPrograms(home: TempHome): Promise<void> {
  const aws = fileURLToPath(new URL("docs-aws.js", import.meta.url));
  await writeProgram(home, "rolefresh", `exec "${process.execPath}" "${BIN}" "$@"`);
  await writeProgram(
    home,
    "aws",
    `AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true exec "${process.execPath}" "${aws}" "$@"`,
  );
  for (const tool of ["legacy-tool", "rclone", "s3cmd", "duplicity"])
    await writeProgram(home, tool, `exec aws sts get-caller-identity --query Arn --output text`);
  await writeProgram(home, "getent", `echo "$2:x:1001:1001::$HOME:/bin/sh"`);
  await writeProgram(home, "loginctl", `exit 0`);
  await fakeSystemctl(home);
  await fakeCrontab(home);
}
