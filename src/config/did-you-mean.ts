import { closestMatch } from "leven";

/** `did you mean 'x'?` for a name that is not known; undefined when no candidate is near (a third may differ). */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  const match = closestMatch(word, candidates, { maxDistance: Math.max(1, Math.floor(word.length / 3)) });
  return match === undefined ? undefined : `did you mean '${match}'?`;
}

/** The hint for a value that is none of the supported ones. */
export function oneOfHint(word: string, allowed: readonly string[]): string {
  const list = `use one of ${allowed.join(", ")}`;
  const near = didYouMean(word, allowed);
  return near === undefined ? list : `${near} (${list})`;
}
