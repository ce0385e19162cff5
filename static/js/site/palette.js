/** Ctrl+K: goes anywhere by a few letters. A combobox with a list, in a dialog. */
import { fit } from "../lib/find.js";
import { live } from "../lib/live.js";
import { makeOption } from "../lib/option.js";
import { hrefOf } from "../lib/rail.js";
import { t } from "../lib/words.js";

/** @typedef {{name: string, hint: string, href?: string, run?: () => void, rank?: number}} Goal */

const MOST = 12;
/** Letters come quicker than this while somebody types a name. */
const TYPING = 120;

class SitePalette extends HTMLElement {
  dialog = document.createElement("dialog");
  box = document.createElement("input");
  list = document.createElement("ul");
  nothing = document.createElement("p");
  /** @type {Goal[]} */ #places = [];
  /** @type {Goal[]} */ #people = [];
  /** @type {Goal[]} */ #shown = [];
  #chosen = 0;
  /** @type {any} */ #timer = null;

  connectedCallback() {
    this.dialog.className = "palette";
    this.dialog.setAttribute("aria-label", t("Go anywhere"));
    Object.assign(this.box, { type: "text", className: "palette-box", placeholder: t("Where to?"), autocomplete: "off", spellcheck: false });
    const says = { role: "combobox", "aria-label": t("Where to?"), "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list", enterkeyhint: "go" };
    for (const [name, value] of Object.entries(says)) this.box.setAttribute(name, value);
    Object.assign(this.list, { id: "palette-list", className: "palette-list", role: "listbox" });
    this.list.setAttribute("aria-label", t("Places"));
    this.nothing.className = "fine palette-nothing";
    this.nothing.setAttribute("role", "status");
    this.dialog.append(this.box, this.list, this.nothing);
    this.append(this.dialog);
    this.box.addEventListener("input", () => this.#typed());
    this.dialog.addEventListener("keydown", (event) => this.#key(event));
    this.list.addEventListener("click", (event) => this.#go(this.#indexOf(event.target)));
    this.list.addEventListener("pointermove", (event) => this.#choose(this.#indexOf(event.target)));
    // A press beside it closes it.
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
  }

  open() {
    if (this.dialog.open) return;
    this.box.value = "";
    this.#chosen = -1;
    this.#people = [];
    this.#places = [...rooms(), ...pages()];
    this.#show();
    this.dialog.showModal();
    void this.#loadRooms();
  }

  /** Channels that one isn't in are places too. */
  async #loadRooms() {
    const known = new Set(this.#places.map(({ href }) => href));
    const { rooms: all = [] } = await read("/api/v1/rooms?limit=100");
    for (const room of all) {
      const goal = roomGoal(room);
      if (goal && !known.has(goal.href)) this.#places.push(goal);
    }
    this.#show();
  }

  #typed() {
    this.#chosen = -1;
    this.#show();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#loadPeople(this.box.value.trim()), TYPING);
  }

  /** @param {string} query */
  async #loadPeople(query) {
    if (!query) return;
    const { users = [] } = await read(`/api/v1/users?query=${encodeURIComponent(query)}&limit=8`);
    if (this.box.value.trim() !== query) return;
    this.#people = users.map((/** @type {any} */ user) => ({
      name: user.display_name,
      hint: user.guest ? t("guest") : user.username,
      href: `/dm/${encodeURIComponent(user.username)}`,
      rank: 2,
    }));
    this.#show();
  }

  /** What arrives later mustn't move the choice that somebody has made already: it stays on its goal. */
  #show() {
    const chosen = this.#shown[this.#chosen];
    const query = this.box.value;
    const people = query.trim() ? this.#people : [];
    this.#shown = [...this.#places, ...people]
      .map((goal) => ({ goal, rank: rankOf(goal, query, people.includes(goal)) }))
      .filter(({ rank }) => rank > 0)
      .sort((a, b) => b.rank - a.rank)
      .slice(0, MOST)
      .map(({ goal }) => goal);
    this.list.replaceChildren(...this.#shown.map(({ name, hint }, index) => makeOption(`palette-${index}`, name, hint)));
    const isEmpty = this.#shown.length === 0;
    this.list.hidden = isEmpty;
    this.box.setAttribute("aria-expanded", String(!isEmpty));
    const words = isEmpty ? t("Nothing by that name. Try fewer letters.") : "";
    if (this.nothing.textContent !== words) this.nothing.textContent = words;
    this.#choose(Math.max(0, chosen ? this.#shown.indexOf(chosen) : 0));
  }

  /** @param {number} index */
  #choose(index) {
    if (index < 0) return;
    this.#chosen = index;
    this.box.removeAttribute("aria-activedescendant");
    [...this.list.querySelectorAll("[role=option]")].forEach((option, at) => {
      option.setAttribute("aria-selected", String(at === index));
      if (at !== index) return;
      this.box.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    const last = this.#shown.length - 1;
    if (event.key === "ArrowDown") this.#choose(this.#chosen >= last ? 0 : this.#chosen + 1);
    else if (event.key === "ArrowUp") this.#choose(this.#chosen <= 0 ? last : this.#chosen - 1);
    else if (event.key === "Enter") this.#go(this.#chosen);
    else return;
    event.preventDefault();
  }

  /** @param {number} index */
  #go(index) {
    const goal = this.#shown[index];
    if (!goal) return;
    this.dialog.close();
    if (goal.run) goal.run();
    else if (goal.href) location.assign(goal.href);
  }

  /** @param {EventTarget | null} target @returns {number} */
  #indexOf(target) {
    const option = target instanceof Element ? target.closest("[role=option]") : null;
    return option ? [...this.list.children].indexOf(option) : -1;
  }
}

/**
 * Without letters: what has something new, the rooms, the pages, and last where one already is.
 * @param {Goal} goal
 * @param {string} query
 * @param {boolean} isPerson found by the server, which knows user names too
 * @returns {number} 0 when it isn't meant
 */
function rankOf(goal, query, isPerson) {
  if (query.trim()) return Math.max(fit(query, goal.name), isPerson ? 1 : 0);
  return goal.href === location.pathname ? 0.5 : 1 + (goal.rank ?? 0);
}

/** @returns {Goal[]} */
function rooms() {
  return live.rooms.all().flatMap((room) => roomGoal(room, live.rooms.unread(room.id)) ?? []);
}

/** @param {{kind: string, id: number, name: string, peer_username?: string}} room @param {number} [unread] @returns {Goal | null} */
function roomGoal(room, unread = 0) {
  const hint = unread > 0 ? t("{count} new", { count: unread }) : "";
  const href = hrefOf(room);
  const rank = unread > 0 ? 3 : 1;
  if (room.kind === "channel" && href) return { name: `# ${room.name}`, hint: hint || t("channel"), href, rank };
  if (room.kind === "group" && href) return { name: room.name, hint: hint || t("group"), href, rank };
  if (room.kind === "direct" && href) return { name: room.name, hint: hint || t("private"), href, rank };
  if (room.kind === "board") return { name: t("Board"), hint: hint || t("page"), href: "/board", rank: unread > 0 ? 3 : 0 };
  return null;
}

/** @returns {Goal[]} */
function pages() {
  const page = (/** @type {string} */ name, /** @type {string} */ href) => ({ name, hint: t("page"), href });
  const sheet = { name: t("Keys"), hint: "?", run: () => dispatchEvent(new CustomEvent("keys-wanted")) };
  return [page(t("Library"), "/media"), page(t("People"), "/people"), page(t("All channels"), "/channels"), page(t("Groups"), "/groups"), page(t("Write privately"), "/direct"),
    page(t("Dashboard"), "/dashboard"), page(t("Settings"), "/settings"), sheet];
}

/** @param {string} path @returns {Promise<any>} an empty answer when there is none */
async function read(path) {
  try {
    const answer = await fetch(path);
    return answer.ok ? await answer.json() : {};
  } catch {
    return {};
  }
}

customElements.define("site-palette", SitePalette);
