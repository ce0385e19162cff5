/** All files on their way into the library: two at a time, found again after a reload. */
import { live } from "./live.js";
import { answer, FILES } from "./shelf.js";
import { Transfer } from "./transfer.js";

/** @typedef {{url: string, name: string, size: number, offset: number}} Begun an upload that an earlier page began */

const AT_ONCE = 2;
/** Bytes of a file that the browser keeps over a reload. A larger one would be copied for longer than choosing it again takes. */
const KEPT = 256 * 1024 * 1024;
const MEMORY = `hubbub-media-${live.user}`;

/** @type {Transfer[]} */
const queue = [];
let running = 0;

/** By which file each upload was begun here. Another file of the same name must never be mixed into it. @returns {Record<string, string>} */
function memory() {
  try {
    return JSON.parse(localStorage.getItem(MEMORY) ?? "{}");
  } catch {
    return {};
  }
}

/** @param {(kept: Record<string, string>) => void} change */
function remember(change) {
  const kept = memory();
  change(kept);
  try {
    localStorage.setItem(MEMORY, JSON.stringify(kept));
  } catch {
    // Without a memory the file is sent from its start next time.
  }
}

const print = (/** @type {File} */ file) => `${file.name}|${file.size}|${file.lastModified}`;

/**
 * Begins, or goes on where this very file broke off.
 * @param {File} file
 * @param {Set<string>} taken addresses of uploads that are going on
 * @returns {Transfer}
 */
export function begin(file, taken) {
  const earlier = Object.entries(memory()).find(([url, mark]) => mark === print(file) && !taken.has(url));
  const transfer = new Transfer(file, file.name, earlier?.[0]);
  let url = "";
  transfer.addEventListener("change", () => {
    if (transfer.url && transfer.url !== url) {
      url = transfer.url;
      remember((kept) => { kept[url] = print(file); });
      if (file.size <= KEPT) void live.shelf.change(FILES, (store) => store.put(file, url)).catch(() => {});
    }
    if (transfer.state === "done" || transfer.state === "gone" || transfer.state === "failed") forget(transfer.url);
  });
  again(transfer);
  return transfer;
}

/** @param {string} url */
export function forget(url) {
  if (!url) return;
  remember((kept) => { delete kept[url]; });
  void live.shelf.change(FILES, (store) => store.delete(url)).catch(() => {});
}

/** @param {Transfer} transfer */
export function again(transfer) {
  transfer.become({ state: "waiting", error: "" });
  if (!queue.includes(transfer)) queue.push(transfer);
  next();
}

function next() {
  while (running < AT_ONCE) {
    const transfer = queue.shift();
    if (!transfer) return;
    running += 1;
    const run = () => transfer.run();
    // Another tab of the same person may be at it; this one then learns that it is done.
    void (transfer.url ? live.tabs.alone(transfer.url, run) : run()).finally(() => {
      running -= 1;
      next();
    });
  }
}

/** What earlier pages began and didn't end: with its file, where the browser kept it. @returns {Promise<{upload: Begun, file: File | null}[]>} */
export async function begun() {
  const told = await fetch("/api/v1/media/uploads").catch(() => null);
  if (!told?.ok) return [];
  /** @type {{uploads: Begun[]}} */
  const { uploads } = await told.json();
  const open = new Set(uploads.map(({ url }) => url));
  for (const url of Object.keys(memory())) if (!open.has(url)) forget(url);
  const base = await live.shelf.base;
  return Promise.all(uploads.map(async (upload) => {
    const file = base && (await answer(base.transaction(FILES).objectStore(FILES).get(upload.url)).catch(() => null));
    return { upload, file: file instanceof File ? file : null };
  }));
}
