import assert from "node:assert/strict";
import { inspect } from "node:util";
import { checkToken } from "../../src/sources/jwt.ts";
import type { FuzzTarget } from "./fuzz.ts";
import { assertTellsNothing, madeOrRefused } from "./refusal.ts";
import { NOW, secretsOf, tokenText } from "./token-grammar.ts";

/** Identity tokens: believed or refused in words that show neither signature nor claims; never a crash. */
export function tokenTarget(): FuzzTarget<string> {
  const counts = { accepted: 0, refused: 0 };
  return {
    name: "identity tokens",
    make: tokenText,
    show: (token) => JSON.stringify(token),
    counts,
    async check(token) {
      const outcome = await madeOrRefused(() =>
        checkToken(token, { now: NOW, audience: "gcp", describe: "the token" }),
      );
      if ("refused" in outcome) {
        counts.refused++;
        assert.match(outcome.refused.code, /^TOKEN_/);
        assertTellsNothing(outcome.refused, secretsOf(token));
        // oxlint-disable-next-line no-control-regex -- they are what must not be there
        assert.doesNotMatch(outcome.refused.message, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
        return;
      }
      counts.accepted++;
      const { claims, token: secret } = outcome.made;
      assert.equal(secret.reveal(), token);
      assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
      assert.ok(token.length <= 20_000);
      assert.ok(claims.audience.includes("gcp"));
      assert.ok(claims.expiresAt === undefined || claims.expiresAt.getTime() > NOW.getTime() - 61_000);
      const shown = inspect(outcome.made, { depth: 9, showHidden: true });
      for (const part of secretsOf(token)) assert.ok(!shown.includes(part));
    },
  };
}
