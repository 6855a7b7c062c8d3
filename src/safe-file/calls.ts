import * as fs from "node:fs";

/**
 * File calls that run beside the event loop, so that timers and signals go on where a dead mount blocks one of them. By
 * callbacks: loading `node:fs/promises` costs a run with nothing due more than all that it reads.
 */

/** Opens for reading; `flags` besides O_RDONLY and O_NONBLOCK (a FIFO would block without it, a device could act). */
export function openToRead(path: string, flags = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | flags, (error, descriptor) =>
      error ? reject(error) : resolve(descriptor),
    );
  });
}

/** The state of an open file, fstat(2): what is read from it is what was judged. */
export function statOpen(descriptor: number): Promise<fs.BigIntStats> {
  return new Promise((resolve, reject) => {
    fs.fstat(descriptor, { bigint: true }, (error, stats) => (error ? reject(error) : resolve(stats)));
  });
}

/** stat(2): follows links. */
export function statPath(path: string): Promise<fs.BigIntStats> {
  return new Promise((resolve, reject) => {
    fs.stat(path, { bigint: true }, (error, stats) => (error ? reject(error) : resolve(stats)));
  });
}

/** lstat(2): a link itself. */
export function statLink(path: string): Promise<fs.BigIntStats> {
  return new Promise((resolve, reject) => {
    fs.lstat(path, { bigint: true }, (error, stats) => (error ? reject(error) : resolve(stats)));
  });
}

/** Where a symbolic link points to, as it is written. */
export function readLink(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    fs.readlink(path, (error, target) => (error ? reject(error) : resolve(target)));
  });
}

/**
 * Everything from an open file's place on, up to `limit` bytes and one more, which tells that there is more.
 *
 * @param expected its size, for a buffer that fits; 0 where the file system does not say (proc(5))
 */
export async function readUpTo(descriptor: number, expected: number, limit: number): Promise<Buffer> {
  let buffer = Buffer.allocUnsafe(Math.min(expected > 0 ? expected + 1 : 16_384, limit + 1));
  let length = 0;
  for (;;) {
    const bytesRead = await readInto(descriptor, buffer, length, buffer.length - length);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
    if (length > limit) return buffer.subarray(0, length);
    if (length === buffer.length) buffer = Buffer.concat([buffer], Math.min(length * 2, limit + 1));
  }
}

/** read(2) from the file's place on: at most `length` bytes, to `offset` of the buffer. 0 at the end of the file. */
export function readInto(descriptor: number, buffer: Buffer, offset: number, length: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(descriptor, buffer, offset, length, null, (error, bytesRead) =>
      error ? reject(error) : resolve(bytesRead),
    );
  });
}

/** What was read is whole: an error of the close, which NFS for one may give late, says nothing about it. */
export function closeQuietly(descriptor: number): void {
  fs.close(descriptor, () => undefined);
}
