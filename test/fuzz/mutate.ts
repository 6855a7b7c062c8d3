import type { Chance } from "./chance.ts";

/** Bytes that decide something in an INI file, in XML, in JSON or in a token. */
const TELLING = [
  ..."\n\r\t =:[]#;\"'\\<>&{},.-%$`+/\0".split(""),
  "\r\n",
  "\ufeff",
  "\u2028",
  "\u0085",
  "\u00a0",
  "\u001f",
];

/** A document with a few bytes, lines or pieces changed, as an editor, a crash or an attacker leaves it. */
export function mutate(document: Buffer, chance: Chance): Buffer {
  let mutated = document;
  for (let n = 1 + chance.below(3); n > 0; n--) mutated = once(mutated, chance);
  return mutated;
}

function once(bytes: Buffer, chance: Chance): Buffer {
  const at = chance.below(bytes.length + 1);
  const cut = (start: number, end: number, between: Buffer) =>
    Buffer.concat([bytes.subarray(0, start), between, bytes.subarray(end)]);
  return chance.weighted([
    [4, () => cut(at, at, Buffer.from(chance.pick(TELLING)))],
    [2, () => cut(at, at + 1, Buffer.from(chance.pick(TELLING)))],
    [2, () => cut(at, at + 1 + chance.below(4), Buffer.alloc(0))],
    [1, () => cut(at, at + 1, Buffer.from([chance.below(256)]))],
    [1, () => bytes.subarray(0, at)],
    // A piece twice: duplicate keys and sections, nested tags, long tokens.
    [1, () => cut(at, at, bytes.subarray(chance.below(bytes.length + 1)).subarray(0, 80))],
    [1, () => moveLine(bytes, chance)],
  ]);
}

function moveLine(bytes: Buffer, chance: Chance): Buffer {
  const lines = bytes.toString("latin1").split("\n");
  const [line = ""] = lines.splice(chance.below(lines.length), 1);
  lines.splice(chance.below(lines.length + 1), 0, chance.oneIn(3) ? ` ${line}` : line);
  return Buffer.from(lines.join("\n"), "latin1");
}
