import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** Secrets that a test knows, and the search for them in everything that a program leaves behind. */
export class MarkedSecrets {
  /** What is looked for: pieces long enough to be no accident, in the forms in which they could leak. */
  readonly #pieces = new Set<string>();
  #searched = 0;

  get count(): number {
    return this.#pieces.size;
  }

  /** How many texts were searched. */
  get searched(): number {
    return this.#searched;
  }

  /** A secret, or the parts of a JWT but its header, which is the same for all. */
  add(secret: string): void {
    const parts = secret.startsWith("eyJ") ? secret.split(".").slice(1) : [secret];
    for (const part of parts) {
      assert.ok(part.length >= 16, "too short to be looked for");
      // A cut-off secret is one as well; its beginning may be the same for many (tokens of STS).
      const piece = part.slice(-24);
      for (const form of [piece, encodeURIComponent(piece), Buffer.from(part).toString("base64").slice(4, 28)])
        this.#pieces.add(form);
    }
  }

  /** Every secret value that a credentials file holds. */
  addCredentials(file: string): void {
    for (const [, value = ""] of file.matchAll(/^(?:aws_secret_access_key|aws_session_token) = (.*)$/gm))
      this.add(value.trim());
  }

  assertAbsent(text: string, where: string): void {
    this.#searched++;
    for (const piece of this.#pieces) {
      const at = text.indexOf(piece);
      assert.equal(at, -1, `${where} shows a secret behind ${JSON.stringify(text.slice(Math.max(0, at - 60), at))}`);
    }
  }

  /** Searches every name and every file below a directory, but the files that are there to hold secrets. */
  async assertAbsentBelow(directory: string, mayHold: (path: string) => boolean): Promise<void> {
    for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
      const path = join(entry.parentPath, entry.name);
      const shown = relative(directory, path);
      this.assertAbsent(shown, "a file's name");
      if (entry.isFile() && !mayHold(shown)) this.assertAbsent(await readFile(path, "latin1"), shown);
    }
  }
}
