/** Files on their way to the server: three at a time, each with its progress, again after a lost connection. */
import { previews } from "./attachments.js";
import { live } from "./live.js";
import { isCarried, isWaiting, makeNonce } from "./outbox.js";
import { FILES, answer } from "./shelf.js";
import { said, t } from "./words.js";

/** @typedef {import("./attachments.js").Attachment} Attachment */
/** @typedef {import("./outbox.js").Unsent} Unsent */

const AT_ONCE = 3;
/** Broken connections in a row, while the server otherwise answers, until the person is asked. */
const ATTEMPTS = 4;
const PAUSE = 1500;

/** One file. Tells of every change by the event `change`. */
export class Upload extends EventTarget {
  sent = 0;
  /** @type {"waiting" | "sending" | "done" | "failed" | "gone"} */ state = "waiting";
  error = "";
  /** Another attempt could do better. */
  mayTryAgain = true;
  width = 0;
  height = 0;
  description = "";
  attempts = 0;
  /** @type {Attachment | null} */ attachment = null;
  /** @type {XMLHttpRequest | null} */ request = null;

  /**
   * @param {number} room
   * @param {Blob} file
   * @param {string} name
   * @param {string} key
   */
  constructor(room, file, name, key) {
    super();
    this.room = room;
    this.file = file;
    this.name = name;
    this.key = key;
  }

  /** @param {Partial<Upload>} news */
  become(news) {
    Object.assign(this, news);
    this.dispatchEvent(new Event("change"));
  }

  /** @returns {Promise<Attachment>} when it is stored; fails with the reason when it can't be */
  finished() {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this.attachment) resolve(this.attachment);
        else if (this.state === "failed" || this.state === "gone") reject(new Error(this.error));
        else this.addEventListener("change", look, { once: true });
      };
      look();
    });
  }
}

/** @type {Map<string, Upload>} */
const known = new Map();
/** @type {Upload[]} */
const queue = [];
let running = 0;

live.addEventListener("ready", next);

/**
 * @param {number} room
 * @param {Blob} file
 * @param {string} name
 * @param {string} [key]
 * @returns {Upload}
 */
export function start(room, file, name, key = makeNonce()) {
  const upload = new Upload(room, file, name, key);
  known.set(key, upload);
  again(upload);
  return upload;
}

/** @param {Upload} upload */
export function again(upload) {
  upload.become({ state: "waiting", error: "", sent: 0, attempts: 0 });
  queue.push(upload);
  next();
}

/** Stops it, and takes back what has arrived. @param {Upload} upload */
export function cancel(upload) {
  upload.request?.abort();
  if (upload.attachment) void fetch(`${address(upload)}/${upload.attachment.id}`, { method: "DELETE" }).catch(() => {});
  forget(upload);
  upload.become({ state: "gone", error: t("That did not work") });
}

/** @param {Upload} upload */
function forget(upload) {
  known.delete(upload.key);
  if (queue.includes(upload)) queue.splice(queue.indexOf(upload), 1);
}

const address = (/** @type {Upload} */ upload) => `/api/v1/rooms/${upload.room}/attachments`;

function next() {
  while (running < AT_ONCE) {
    const upload = queue.shift();
    if (!upload) return;
    running += 1;
    send(upload);
  }
}

/** @param {Upload} upload */
function send(upload) {
  const request = new XMLHttpRequest();
  const form = new FormData();
  form.append("file", upload.file, upload.name);
  request.open("POST", address(upload));
  request.upload.onprogress = (event) => upload.become({ sent: Math.min(upload.file.size, event.loaded) });
  request.onloadend = () => {
    running -= 1;
    upload.request = null;
    if (upload.state === "sending") settle(upload, request);
    next();
  };
  upload.become({ state: "sending", request });
  request.send(form);
}

/** @param {Upload} upload @param {XMLHttpRequest} request */
function settle(upload, request) {
  const answer = read(request.responseText);
  if (request.status === 201 && answer.id) {
    const { width = 0, height = 0 } = answer;
    return upload.become({ state: "done", attachment: answer, sent: upload.file.size, width, height });
  }
  if (request.status === 429 || request.status === 503) return later(upload, Number(request.getResponseHeader("Retry-After") ?? 1) * 1000);
  if (request.status >= 400) return upload.become({ state: "failed", error: said(reason(answer)), mayTryAgain: request.status >= 500 });
  // Without an answer: the way was broken. A connection that comes back tries again at once.
  if (upload.attempts >= ATTEMPTS) return upload.become({ state: "failed", error: t("The connection broke off.") });
  later(upload, PAUSE);
}

/** @param {Upload} upload @param {number} ms */
function later(upload, ms) {
  upload.become({ state: "waiting", sent: 0, attempts: live.isUp ? upload.attempts + 1 : upload.attempts });
  setTimeout(() => {
    if (upload.state !== "waiting") return;
    queue.push(upload);
    // While nothing answers, `ready` is what it waits for.
    if (live.isUp) next();
  }, ms);
}

/** The sentence about the file itself, where there is one. @param {any} problem @returns {string} */
const reason = (problem) => problem.fields?.[0]?.message ?? problem.detail ?? t("That did not work");

/** @param {string} text @returns {any} */
function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** Brings the files of something written to the server, so that it can be sent: one of the person's tabs does. @param {Unsent} entry */
export function carry(entry) {
  if (!isWaiting(entry) || isCarried(entry)) return;
  void live.tabs.alone(`carry:${entry.nonce}`, async () => {
    const now = live.outbox.get(entry.nonce);
    // Another tab may have done it, or somebody has thought better of it.
    if (now && isWaiting(now) && !isCarried(now)) await bring(now);
  }).catch(() => {});
}

/** @param {Unsent} entry */
async function bring(entry) {
  const files = [...(entry.files ?? [])];
  const uploads = await Promise.all(files.map(async (file) => {
    if (file.id) return null;
    const there = known.get(file.key);
    if (there && there.state !== "failed") return there;
    const blob = there?.file ?? (await shelved(file.key));
    if (blob && file.width && !previews.has(file.key)) previews.set(file.key, URL.createObjectURL(blob));
    return blob ? start(entry.room, blob, file.name, file.key) : undefined;
  }));
  tellOf("kept", entry);
  const lost = uploads.indexOf(undefined);
  if (lost >= 0) return refuse(entry.nonce, t("The file {name} isn't here any more. Attach it again.", { name: files[lost].name }));
  const tell = () => tellOf("progress", { entry, share: share(files, uploads) });
  for (const upload of uploads) upload?.addEventListener("change", tell);
  try {
    for (const [index, upload] of uploads.entries()) {
      if (!upload) continue;
      const { id } = await upload.finished();
      if (files[index].description) await describe(upload, id, files[index].description);
      files[index] = { ...files[index], id };
    }
    const now = live.outbox.get(entry.nonce);
    if (now) live.carried({ ...now, files });
  } catch (error) {
    refuse(entry.nonce, /** @type {Error} */ (error).message);
  } finally {
    for (const upload of uploads) upload?.removeEventListener("change", tell);
  }
}

/** @param {string} nonce @param {string} error what the person is told */
function refuse(nonce, error) {
  const entry = live.outbox.get(nonce);
  if (!entry) return;
  const failed = { ...entry, error };
  live.outbox.put(failed);
  live.tabs.tell({ fact: "failed", detail: failed });
  tellOf("failed", failed);
}

/** @param {string} fact @param {any} detail */
function tellOf(fact, detail) {
  live.dispatchEvent(new CustomEvent(fact, { detail }));
}

/** @param {Upload} upload @param {number | undefined} id @param {string} [description] */
async function describe(upload, id, description) {
  const body = JSON.stringify({ description });
  await fetch(`${address(upload)}/${id}`, { method: "PATCH", body, headers: { "Content-Type": "application/json" } }).catch(() => {});
}

/** @param {import("./attachments.js").Carried[]} files @param {(Upload | null | undefined)[]} uploads */
function share(files, uploads) {
  const all = files.reduce((sum, file) => sum + file.size, 0);
  const sent = files.reduce((sum, file, index) => sum + (uploads[index]?.sent ?? file.size), 0);
  return all > 0 ? sent / all : 0;
}

/** Once more from the start: the server may have forgotten what arrived. @param {Unsent} entry */
export function renew(entry) {
  for (const { key } of entry.files ?? []) known.get(key)?.become({ state: "failed", attachment: null });
  carry(entry);
}

/** It won't be sent. @param {Unsent} entry */
export function withdraw(entry) {
  unload(entry);
  for (const { key } of entry.files ?? []) {
    const upload = known.get(key);
    if (upload) cancel(upload);
  }
}

/** It has been sent. @param {Unsent} entry */
export function unload(entry) {
  void live.shelf.change(FILES, (store) => { for (const { key } of entry.files ?? []) store.delete(key); }).catch(() => {});
}

/** Keeps files until they are sent, over a reload. @param {Upload[]} uploads */
export function shelve(uploads) {
  void live.shelf.change(FILES, (store) => { for (const { key, file } of uploads) store.put(file, key); }).catch(() => {});
}

/** @param {string} key @returns {Promise<Blob | null>} */
async function shelved(key) {
  const base = await live.shelf.base;
  return (base && (await answer(base.transaction(FILES).objectStore(FILES).get(key)).catch(() => null))) ?? null;
}
