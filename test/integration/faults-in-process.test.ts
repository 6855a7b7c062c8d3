import assert from "node:assert/strict";
import { test } from "node:test";

import { updateCredentialsFile } from "../../src/refresh/update-credentials-file.ts";
import type { EditResult } from "../../src/credentials-file/edit.ts";
import { clock, type FileHome, fileHome, pending, UID } from "../support/credentials-file-home.ts";
import { documentOf } from "../support/credentials-file-keys.ts";
import { failNth } from "../support/fail-nth.ts";
import { BEFORE } from "../support/fault-scene.ts";
import { ERRNOS } from "../torture/faults-syscalls.ts";

type Ops = ReturnType<typeof failNth>["ops"];

async function update(home: FileHome, writeMode: "atomic" | "in-place", ops: Ops): Promise<EditResult | undefined> {
  const { results } = await updateCredentialsFile(
    { file: home.file, edits: [pending("default"), pending("added")], writeMode },
    { clock, deadline: home.deadline, uid: UID, ops },
  );
  assert.deepEqual(results.get("default"), results.get("added"), "both or none");
  return results.get("default");
}

for (const writeMode of ["atomic", "in-place"] as const) {
  test(`${writeMode}: any call of a write, any of ${ERRNOS.length} errors: both profiles or none, and nothing is left`, async (t) => {
    let tried = 0;
    for (const errno of ERRNOS) {
      for (let n = 0; ; n++) {
        await using home = await fileHome(BEFORE);
        const { ops, calls } = failNth(n, errno);
        const result = await update(home, writeMode, ops);
        if (calls.length <= n) break;
        tried++;
        const where = `${errno} from call ${n}, ${calls[n]}`;
        const content = await home.read();
        if (result?.kind === "failed") assert.equal(content, BEFORE, where);
        else {
          const document = documentOf(content);
          assert.ok(document.profile("default")?.isComplete && document.profile("added")?.isComplete, where);
          assert.ok(content.startsWith(BEFORE.slice(0, 100)), where);
        }
        const left = (await home.names()).filter((name) => name !== "credentials");
        if (calls[n] !== "unlink") assert.deepEqual(left, [], where);
      }
    }
    t.diagnostic(`tried ${tried} times`);
  });
}
