/**
 * What a model of a reader finds in a file, in the file's order: entry `n` is `value[n]` of `key[n]` in `section[n]`. The
 * key `[` marks that a section begins, other marks are the model's own. Three lists rather than one of objects: the
 * guard reads files of 10 MB four times.
 */
export interface Reading {
  readonly section: readonly string[];
  readonly key: readonly string[];
  readonly value: readonly string[];
}
