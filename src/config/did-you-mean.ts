import { closestMatch } from "leven";

/** The candidate that a person most likely meant, or undefined when none is near (a third of the letters may differ). */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  return closestMatch(word, candidates, { maxDistance: Math.max(1, Math.floor(word.length / 3)) });
}

/** ` (did you mean 'x'?)` or nothing: the tail of a message about a name that is not known. */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  const match = nearest(word, candidates);
  return match === undefined ? undefined : `did you mean '${match}'?`;
}
