import assert from "node:assert/strict";
import { inspect } from "node:util";
import { obtainIdentityToken } from "../../src/sources/obtain-token.ts";
import type { IdentityContext } from "../../src/sources/context.ts";
import { testWorld } from "../support/test-world.ts";
import { httpAnswer } from "./http-grammar.ts";
import type { FuzzTarget } from "./fuzz.ts";
import type { RawServer } from "./raw-server.ts";
import { assertTellsNothing, madeOrRefused } from "./refusal.ts";
import { NOW, secretsOf, tokenText } from "./token-grammar.ts";

interface Answer {
  readonly bytes: Buffer;
  readonly token: string;
}

/** Answers of the metadata server: a token that is for us from a server that says it is Google's, or a failure. */
export function metadataTarget(server: RawServer): FuzzTarget<Answer> {
  const counts = { accepted: 0, refused: 0 };
  const world = testWorld({ now: NOW });
  const source = { kind: "gcp-metadata", audience: "gcp", serviceAccount: "default" } as const;
  return {
    name: "metadata answers",
    make: (chance) => {
      const token = tokenText(chance);
      const flavor = chance.oneIn(4)
        ? chance.pick(["Metadata-Flavor: google", "Metadata-Flavor:", "Server: x"])
        : "Metadata-Flavor: Google";
      return { token, bytes: httpAnswer(Buffer.from(token), [flavor, "Content-Type: text/html"], chance) };
    },
    show: ({ bytes }) => bytes.toString("base64"),
    counts,
    async check({ bytes, token }) {
      server.answerWith(bytes);
      const lines: string[] = [];
      const context: IdentityContext = {
        env: { GCE_METADATA_HOST: `127.0.0.1:${server.port}` },
        clock: { ...world, now: () => NOW, sleep: async () => undefined },
        deadline: { signal: new AbortController().signal, remainingMs: () => 60_000, clear: () => undefined },
        cwd: "/",
        killGroup: world.killGroup,
        uid: undefined,
        home: "/nonexistent",
        verbose: (line) => void lines.push(line),
      };
      const outcome = await madeOrRefused(() => obtainIdentityToken(source, context));
      for (const part of secretsOf(token)) assert.ok(!lines.join("\n").includes(part), "--verbose shows the token");
      if ("refused" in outcome) {
        counts.refused++;
        assert.match(outcome.refused.code, /^(IDENTITY|TOKEN)_/);
        assertTellsNothing(outcome.refused, secretsOf(token));
        return;
      }
      counts.accepted++;
      const head = bytes.toString("latin1").split("\r\n\r\n", 1)[0] ?? "";
      assert.match(head, /^HTTP\/1\.[01] 200/, "another status is believed");
      assert.match(head, /^metadata-flavor:[ \t]*Google[ \t]*$/im, "an answer without its flavor is believed");
      assert.ok(bytes.includes(outcome.made.token.reveal()));
      assert.ok(outcome.made.claims.audience.includes("gcp"));
      assert.ok(!inspect(outcome.made, { depth: 9 }).includes(outcome.made.token.reveal().slice(-20)));
    },
  };
}
