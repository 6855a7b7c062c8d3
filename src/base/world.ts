/** Everything the program takes from the process it runs in. `bin.ts` fills it in once; tests build their own. */

/** A stream that a person or a program reads. */
export interface Output {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Width in columns of the terminal; undefined when not a terminal. */
  readonly columns: number | undefined;
  /** Whether systemd's journal reads it: then lines carry their priority (sd-daemon(3)). */
  readonly isJournal: boolean;
}

/** The process's own terminal, for prompts: raw mode needs Node's streams. */
export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

/** The only source of time and randomness. */
export interface Clock {
  /** The wall clock. */
  readonly now: () => Date;
  /** Milliseconds of a clock that never jumps; only differences mean something. */
  readonly monotonicMs: () => number;
  /** Waits `ms` milliseconds, or rejects with the signal's reason as soon as it is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Absent in tests, which must live on. */
  readonly lastResort?: LastResort;
}

/** Ends the process with SIGKILL where nothing else can: a file call that the kernel does not finish. */
export interface LastResort {
  /** In `ms` milliseconds, unless the returned function is called; by a timer of the event loop. */
  readonly killAfter: (ms: number) => () => void;
  /** Likewise, by a thread of its own, which a blocked event loop does not stop. */
  readonly watch: (ms: number) => () => void;
}

/**
 * Environment variables by name. A variable that is set to nothing is the empty string, which most of the program
 * takes for unset.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Everything that a command may know of and do to the process. Code that holds it needs no global; tests build their
 * own.
 */
export interface World extends Clock {
  /** The arguments after the program's name. */
  readonly argv: readonly string[];
  /** How this program was started, absolute: the interpreter and the script. For what is to start it again later. */
  readonly program: readonly string[];
  /** The version of Node.js that runs it, `20.19.0`. */
  readonly nodeVersion: string;
  readonly env: Environment;
  /** The user's home directory: `$HOME`, else the password file's (cron and systemd may set none); undefined: in neither. */
  readonly home: string | undefined;
  /** The working directory; undefined: it no longer exists. */
  readonly cwd: string | undefined;
  readonly hostname: string;
  /** The effective user id; undefined where the platform has none (Windows). */
  readonly uid: number | undefined;
  readonly pid: number;
  readonly out: Output;
  readonly err: Output;
  /** Opens standard input and standard error as a terminal; undefined when either is not one. */
  readonly openTerminal: () => Terminal | undefined;
  /** `--timeout` of this command line, for files that are read before a deadline runs; undefined before it was parsed. */
  readonly timeoutMs?: number | undefined;
  /** Aborted on SIGINT and SIGTERM, and on SIGHUP unless somebody listens to it, with an `INTERRUPTED` failure. */
  readonly interrupted: AbortSignal;
  /** Takes SIGHUP over, as daemons do that read their configuration again; returns what gives it back. */
  readonly onHangup: (listener: () => void) => () => void;
  /** Takes a signal over from whatever it does otherwise; returns what gives it back. */
  readonly takeSignal: (signal: NodeJS.Signals, listener: () => void) => () => void;
  /** Kills the process group of a program that this process started; one that is gone already is no error. */
  readonly killGroup: (leader: number) => void;
  /** Sets which mode bits new files do not get, umask(2); returns what it was. */
  readonly umask: (mask: number) => number;
  /** Lets the process die of this signal, instead of exiting with a status, as soon as `main` has returned. */
  readonly dieOf: (signal: NodeJS.Signals) => void;
}
