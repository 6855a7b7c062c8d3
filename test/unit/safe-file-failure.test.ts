import assert from "node:assert/strict";
import { test } from "node:test";

import { renameFailure } from "../../src/safe-file/file-failure.ts";

test("a temporary file that the lock's next holder removed is a busy file; any other fault of the rename is a failed write", () => {
  const file = { path: "/home/user/.aws/credentials", target: "/home/user/.aws/credentials" };
  const failureOf = (code: string) => renameFailure(file, Object.assign(new Error(code), { code })).code;
  assert.equal(failureOf("ENOENT"), "FILE_BUSY");
  for (const code of ["EIO", "ENOSPC", "EBUSY", "EPERM"]) assert.equal(failureOf(code), "FILE_WRITE_FAILED", code);
});
