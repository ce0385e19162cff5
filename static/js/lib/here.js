/** What the page shows of its own room beside the messages: how it is called, what it is about, and that it is gone. */
import { live, on } from "./live.js";
import { hrefOf } from "./rail.js";

/**
 * @param {(title: string) => void} retitle is told the page's new title
 * @param {AbortSignal} signal
 */
export function keepHere(retitle, signal) {
  // A talk beside its thing looks after itself: the page is the thing's.
  const timeline = /** @type {HTMLElement | null} */ (document.querySelector("chat-timeline:not(chat-talk *)"));
  const id = Number(timeline?.dataset.room ?? 0);
  if (!id) return;
  let name = document.querySelector(".head .room-name")?.textContent ?? "";

  on("room", (room) => {
    if (room.id !== id) return;
    if (room.gone) return void lose(timeline?.dataset.kind ?? "", id);
    if (room.topic !== undefined) showTopic(room.topic);
    if (!room.name || room.name === name || !name) return;
    name = room.name;
    const heading = document.querySelector(".head .room-name");
    if (heading) heading.textContent = name;
    retitle(`${name} · Hubbub`);
    const href = hrefOf(room);
    if (href && href !== location.pathname) history.replaceState(history.state, "", href + location.search + location.hash);
  }, signal);
  on("ready", () => {
    // What happened to the room while the connection was lost.
    const room = live.rooms.get(id);
    if (!room && timeline?.hasAttribute("data-joined") && !live.ready?.more) void lose(timeline.dataset.kind ?? "", id);
  }, signal);
}

/** @param {string} topic */
function showTopic(topic) {
  const line = /** @type {HTMLElement | null} */ (document.querySelector(".head .room-topic"));
  if (!line) return;
  line.textContent = topic;
  line.hidden = topic === "";
}

/** @param {string} kind @param {number} id */
async function lose(kind, id) {
  const { closeRoom } = await import("./gone.js");
  await closeRoom(kind, id);
}
