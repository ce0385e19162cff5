/** A message and all its replies beside the conversation, with a box of its own to reply in. */
import { Answering } from "./answering.js";
import { tidy, tooLong } from "./draft.js";
import { Gathering } from "./gathering.js";
import { live, on } from "./live.js";
import { t } from "./words.js";

/** @typedef {import("./store.js").Message} Message */
/** @typedef {import("./outbox.js").Unsent} Unsent */

export const title = () => t("Thread");

/** @param {import("./views.js").Place} place */
export async function show({ body, room, argument, signal }) {
  const root = Number(argument);
  const belongs = (/** @type {Message} */ message) => message.seq === root || message.thread === root;
  const gathering = new Gathering({ body, room, signal, belongs, newestFirst: false });
  const read = async (/** @type {number} */ before) => /** @type {any} */ (await live.socket.request("history", { room, thread: root, limit: 100, ...(before ? { before } : {}) }));
  await gathering.start(read);
  if (signal.aborted) return;
  if (document.querySelector("chat-timeline")?.hasAttribute("data-joined")) offerReply(body, room, root, gathering, signal);
  gathering.toEnd();
}

/**
 * @param {HTMLElement} body
 * @param {number} room
 * @param {number} root
 * @param {Gathering} gathering
 * @param {AbortSignal} signal
 */
function offerReply(body, room, root, gathering, signal) {
  const form = document.createElement("form");
  form.className = "thread-form";
  const box = document.createElement("textarea");
  box.rows = 1;
  box.placeholder = t("Reply in the thread");
  box.setAttribute("aria-label", t("Reply in the thread"));
  const button = document.createElement("button");
  Object.assign(button, { type: "submit", className: "button", textContent: t("Reply") });
  form.append(box, button);
  body.append(form);
  // Before the conversation's own box hears of it: a reply that is asked for in the thread is written in the thread.
  const answering = new Answering(form, box, room, signal, body);
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    form.requestSubmit();
  }, { signal });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = tidy(box.value);
    box.setCustomValidity(tooLong(text));
    if (!text || !form.reportValidity()) return;
    box.value = "";
    live.write(room, text, { reply_to: answering.take() ?? root });
    box.focus({ preventScroll: true });
  }, { signal });
  const isMine = (/** @type {Unsent} */ entry) => entry.room === room && entry.reply_to !== undefined && gathering.has(entry.reply_to);
  for (const entry of live.outbox.all()) if (isMine(entry)) gathering.showUnsent(entry);
  for (const fact of ["written", "kept", "failed"]) on(fact, (entry) => { if (isMine(entry)) gathering.showUnsent(entry); }, signal);
  on("withdrawn", (entry) => gathering.forget(entry.nonce), signal);
}
