/** One thing that a model of a reader finds in a file. The key `[` marks that a section begins; other marks are the model's own. */
export interface FoundEntry {
  readonly section: string;
  readonly key: string;
  readonly value: string;
}
