import type { Landmarks } from "../../src/credentials-file/landmarks.ts";

/** Landmarks as plain values, without the room that they have left. */
export function landmarkFacts({ hasBom, nulAt, loneReturnAt, oddBrackets, plainHeaders }: Landmarks): object {
  const { at, nextByte, count } = plainHeaders;
  return { hasBom, nulAt, loneReturnAt, oddBrackets, at: at.slice(0, count), nextByte: nextByte.slice(0, count) };
}
