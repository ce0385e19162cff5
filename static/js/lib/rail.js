/** The rail's rooms, kept true while one looks: which there are, how they are called, in which order, and who is here. */
import { stateInWords } from "./company.js";
import { live, on } from "./live.js";
import { language } from "./words.js";

/** @typedef {import("./rooms.js").Room & {peer?: number, peer_username?: string}} Room */

/** @param {{kind: string, id: number, name: string, peer_username?: string}} room @returns {string | null} nothing for one without a page of its own */
export function hrefOf(room) {
  if (room.kind === "channel") return `/c/${encodeURIComponent(room.name)}`;
  if (room.kind === "group" || room.kind === "talk") return `/${room.kind === "talk" ? room.kind : "g"}/${room.id}`;
  return room.kind === "direct" && room.peer_username ? `/dm/${encodeURIComponent(room.peer_username)}` : null;
}

/**
 * @param {HTMLElement} rail
 * @param {AbortSignal} signal
 */
export function keepRail(rail, signal) {
  const placeOf = (/** @type {number} */ id) => /** @type {HTMLElement | null} */ (rail.querySelector(`[data-rail-room="${id}"]`));

  /** @param {number} id */
  const show = (id) => {
    const room = /** @type {Room | undefined} */ (live.rooms.get(id));
    const place = placeOf(id);
    // A private conversation is a place once somebody has written in it.
    if (!room || !(place || room.kind !== "direct" || room.last_seq > 0)) return;
    // There may be one for every recording: those that have news are enough.
    if (room.kind === "talk" && !place && (live.rooms.unread(id) === 0 || live.looking === id)) return;
    const href = hrefOf(room);
    const part = rail.querySelector(`[data-rail-part="${room.kind}"]`);
    if (!href || !part) return;
    const item = place?.closest("li") ?? makePlace(rail, room);
    const link = /** @type {HTMLAnchorElement} */ (item.querySelector("a"));
    link.href = href;
    const name = /** @type {HTMLElement} */ (link.querySelector(".place-name"));
    if (room.name && name.textContent !== room.name) name.textContent = room.name;
    if (!place || name.dataset.placed !== room.name) put(part, item, room.kind, room.name);
    name.dataset.placed = room.name;
  };
  const forget = (/** @type {number} */ id) => placeOf(id)?.closest("li")?.remove();

  on("ready", (frame) => {
    const known = new Set(live.rooms.all().map((room) => room.id));
    for (const place of rail.querySelectorAll("[data-rail-room]")) {
      const id = Number(/** @type {HTMLElement} */ (place).dataset.railRoom);
      if (!known.has(id) && !frame.more) forget(id);
    }
    for (const id of known) show(id);
    const here = new Set(frame.online ?? []);
    for (const part of document.querySelectorAll("[data-peer]")) {
      const user = Number(part.getAttribute("data-peer"));
      const dot = part.querySelector(".state-dot");
      if (dot && user !== live.user && here.has(user) !== (dot.getAttribute("data-state") !== "offline")) showState(user, here.has(user) ? "online" : "offline");
    }
  }, signal);
  on("room", (room) => { if (room.gone || room.joined === false) forget(room.id); else show(room.id); }, signal);
  on("message", (message) => {
    const room = live.rooms.get(message.room);
    if (room?.kind === "talk") return show(room.id);
    if (room?.kind !== "direct") return;
    show(room.id);
    // The newest conversation stands first.
    const item = placeOf(room.id)?.closest("li");
    if (item?.previousElementSibling) item.parentElement?.prepend(item);
  }, signal);
  on("presence", (users) => { for (const { user, state, text } of users) showState(user, state, text); }, signal);
  on("profile", (profile) => {
    for (const room of /** @type {Room[]} */ (live.rooms.all())) {
      if (room.peer !== profile.user) continue;
      live.rooms.put({ ...room, name: profile.name, ...(profile.username ? { peer_username: profile.username } : {}) });
      show(room.id);
    }
  }, signal);
}

/** @param {HTMLElement} rail @param {Room} room @returns {HTMLElement} */
function makePlace(rail, room) {
  const template = /** @type {HTMLTemplateElement} */ (rail.querySelector(`template[data-rail-place="${room.kind}"]`));
  const item = /** @type {HTMLElement} */ (template.content.querySelector("li")?.cloneNode(true));
  const link = /** @type {HTMLElement} */ (item.querySelector("a"));
  link.dataset.railRoom = String(room.id);
  if (room.peer) link.dataset.peer = String(room.peer);
  if (hrefOf(room) === location.pathname) link.setAttribute("aria-current", "page");
  return item;
}

/**
 * Channels and groups stand by name, private conversations with the newest first.
 * @param {Element} part
 * @param {HTMLElement} item
 * @param {string} kind
 * @param {string} name
 */
function put(part, item, kind, name) {
  if (kind === "direct") {
    if (!item.isConnected) part.prepend(item);
    return;
  }
  const after = [...part.children].find((other) => other !== item && (other.querySelector(".place-name")?.textContent ?? "").localeCompare(name, language) > 0);
  if (after) part.insertBefore(item, after);
  else part.append(item);
}

/**
 * @param {number} user
 * @param {string} state
 * @param {string} [text]
 */
function showState(user, state, text = "") {
  for (const part of document.querySelectorAll(`[data-peer="${user}"]`)) {
    const dot = /** @type {HTMLElement | null} */ (part.querySelector(".state-dot"));
    if (dot) dot.dataset.state = state;
    const here = part.querySelector(".place-here");
    if (here) here.textContent = state === "offline" ? "" : stateInWords(state);
    const told = part.querySelector(".peer-state");
    if (told) told.textContent = stateInWords(state);
    const status = part.querySelector(".peer-status");
    if (status) status.textContent = text;
  }
}
