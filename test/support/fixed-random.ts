import crypto from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";

// For `node --import`, where a system call is to fail. Temp files get a name that is known beforehand, so that strace can
// be told which file is meant.
Object.assign(crypto, { randomBytes: (size: number) => Buffer.alloc(size, 0xab) });
syncBuiltinESMExports();

// strace counts the calls of each thread by themselves, and would hit the call that is meant in one and a namesake in
// another. So the main thread makes its first fifty here, where their failing harms nobody.
for (const path of (process.env["TEST_COUNTED_PATHS"] ?? "").split(":").filter(Boolean)) {
  for (let n = 0; n < 50; n++) {
    ignoringErrors(() => void lstatSync(path));
    const file = ignoringErrors(() => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
    if (file === undefined) continue;
    ignoringErrors(() => void fstatSync(file));
    ignoringErrors(() => void readSync(file, Buffer.alloc(1)));
    ignoringErrors(() => closeSync(file));
  }
}

function ignoringErrors<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
