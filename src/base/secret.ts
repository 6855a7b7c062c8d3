import { inspect } from "node:util";

/**
 * A value that must not be seen: it prints as `[redacted]` in templates, JSON and `util.inspect` (logs, stacks, crash
 * output). `reveal` is the one way out; call it only where the bytes leave for STS or for the credentials file.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  /** Whether both hold the same value, without revealing either. */
  equals(other: Secret): boolean {
    return this.#value === other.#value;
  }

  get length(): number {
    return this.#value.length;
  }

  toString(): string {
    return "[redacted]";
  }

  toJSON(): string {
    return "[redacted]";
  }

  [inspect.custom](): string {
    return "[redacted]";
  }
}
