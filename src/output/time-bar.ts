const CELLS = 10;

/**
 * Draws the time left as a bar of ten cells, `######----`: for terminals, where a glance must do.
 *
 * @param fraction of the lifetime that is left; what lies outside of 0 to 1 is cut
 */
export function renderBar(fraction: number): string {
  const full = Math.round(Math.max(0, Math.min(1, fraction)) * CELLS);
  return "#".repeat(full) + "-".repeat(CELLS - full);
}
