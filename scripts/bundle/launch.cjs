#!/usr/bin/env node
"use strict";
/*
 * How the published program starts. It loads the files of the bundle with V8's code cache: compiling takes longer than
 * all that a tick with nothing due does. The build puts this file at dist/rolefresh.cjs.
 *
 * The cache is in $CACHE_DIRECTORY (which systemd makes), $XDG_CACHE_HOME/rolefresh or ~/.cache/rolefresh, a directory that
 * nobody else may write: what is in it runs as code. (That is why it is not Node's `module.enableCompileCache()`, whose default is a predictable name in /tmp,
 * and which Node 20 does not have.) Without one, or with one that V8 does not take, everything is the same but slower.
 * NODE_DISABLE_COMPILE_CACHE, which turns off Node's own, turns this one off, too.
 */
const fs = require("node:fs");
const { dirname } = require("node:path");
const { pathToFileURL } = require("node:url");
const { Script } = require("node:vm");

/** Of the files beside this one; the build fills it in. V8 itself tells two sources apart by their length alone. */
const BUILD = "development";

/** A text of the bundle, which is pure ASCII. Where they are all in one file, another stands in its place (packaging/one-file.mjs). */
const readText = (name) => fs.readFileSync(`${__dirname}/${name}`, "latin1");

/** What another version left is removed when it is older than this; two that are installed side by side keep theirs. */
const STALE_MS = 7 * 24 * 3600 * 1000;

const { env } = process;
const uid = process.geteuid?.();
const directory = cacheDirectory();
/** What V8 compiled anew, by the file it goes to. */
const compiled = new Map();
const loaded = new Map();

process.on("exit", keepCompiled);
load("./tick.cjs");

function load(id) {
  if (!id.startsWith("./")) return require(id);
  const known = loaded.get(id);
  if (known) return known.exports;
  const module = { exports: {} };
  loaded.set(id, module);
  const filename = `${__dirname}/${id.slice(2)}`;
  const text = readText(id.slice(2));
  const source = `(function (exports, require, module, __url) {${text}\n})`;
  const cache = directory && `${directory}/${id.slice(2, -4)}-${BUILD}-${process.version}-${process.arch}`;
  const cachedData = cache && readCached(cache);
  const script = new Script(source, { filename, cachedData });
  if (cache && (!cachedData || script.cachedDataRejected)) compiled.set(cache, script);
  const url = text.includes("__url") ? pathToFileURL(filename).href : undefined;
  script.runInThisContext()(module.exports, load, module, url);
  return module.exports;
}

/** @returns undefined when there must be none; `src/base/cache.ts` has the same rules */
function cacheDirectory() {
  const made = env.CACHE_DIRECTORY;
  if (uid !== undefined && made?.startsWith("/") && made.endsWith("/rolefresh") && !env.NODE_DISABLE_COMPILE_CACHE)
    return made;
  const base = env.XDG_CACHE_HOME?.startsWith("/") ? env.XDG_CACHE_HOME : env.HOME && `${env.HOME}/.cache`;
  return uid === undefined || !base?.startsWith("/") || env.NODE_DISABLE_COMPILE_CACHE
    ? undefined
    : `${base}/rolefresh`;
}

/** Only what this user wrote where nobody else may write. */
function readCached(path) {
  try {
    if (!isOurs(fs.lstatSync(directory))) return undefined;
    const descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    try {
      const stats = fs.fstatSync(descriptor);
      if (!stats.isFile() || !isOurs(stats)) return undefined;
      return undamaged(fs.readFileSync(descriptor));
    } finally {
      fs.closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
}

/**
 * V8 since Node 22 trusts what it is given and aborts the process over a damaged block, at every start. So each file holds
 * the code twice: comparing costs nothing next to a checksum in a language that is not compiled yet.
 */
function undamaged(bytes) {
  const half = bytes.length / 2;
  return half > 0 && bytes.subarray(0, half).equals(bytes.subarray(half)) ? bytes.subarray(0, half) : undefined;
}

function isOurs(stats) {
  return stats.uid === uid && (stats.mode & 0o022) === 0;
}

/** At the end, when V8 has compiled what this run called. Nobody waits for it and nobody hears of it when it fails. */
function keepCompiled() {
  if (compiled.size === 0) return;
  try {
    makeOwn(dirname(directory));
    makeOwn(directory);
    if (!isOurs(fs.lstatSync(directory))) return;
    for (const [path, script] of compiled) {
      const temporary = `${path}.${process.pid}`;
      try {
        const code = script.createCachedData();
        writeSynced(temporary, Buffer.concat([code, code]));
        fs.renameSync(temporary, path);
      } catch {
        fs.rmSync(temporary, { force: true });
      }
    }
    for (const name of fs.readdirSync(directory)) {
      const path = `${directory}/${name}`;
      if (!name.includes(BUILD) && fs.lstatSync(path).mtimeMs < Date.now() - STALE_MS) fs.rmSync(path);
    }
  } catch {
    // The next run tries again.
  }
}

/** On the disk before it gets its name: V8 would believe what a power cut left of it. */
function writeSynced(path, bytes) {
  const descriptor = fs.openSync(path, "wx", 0o600);
  try {
    fs.writeFileSync(descriptor, bytes);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Nothing of root's is left in the home of a user whose $HOME sudo kept. */
function makeOwn(path) {
  if (!fs.existsSync(path) && fs.statSync(dirname(path)).uid === uid) fs.mkdirSync(path, { mode: 0o700 });
}
