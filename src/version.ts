/** The version in package.json; a test compares them, because reading that file would slow down every run. */
export const VERSION = "0.1.0";
