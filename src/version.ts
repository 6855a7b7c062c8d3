/** The version in package.json (a test compares the two: reading that file at start-up would cost every run). */
export const VERSION = "0.1.0";
