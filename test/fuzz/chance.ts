/** A seeded source of chance (mulberry32): the same seed makes the same documents, on every machine. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer in [0, below). */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** Whether something that happens once in `times` happens now. */
  oneIn(times: number): boolean {
    return this.next() * times < 1;
  }

  pick<T>(list: readonly T[]): T {
    const picked = list[this.below(list.length)];
    if (picked === undefined) throw new RangeError("nothing to pick from");
    return picked;
  }

  /** One of the alternatives, as often as its weight says. */
  weighted<T>(alternatives: readonly [readonly [number, () => T], ...(readonly [number, () => T])[]]): T {
    let at = this.next() * alternatives.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, make] of alternatives) {
      at -= weight;
      if (at < 0) return make();
    }
    return alternatives[0][1]();
  }

  many<T>(most: number, make: () => T): readonly T[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }
}
