/** Desktop notifications: on this device, asked for by the person's own gesture, and only while they look elsewhere. */
import { callsMe } from "./call.js";
import { live, on } from "./live.js";
import { t } from "./words.js";

const WANTED = "hubbub-notices";
/** A tab that has the person's eyes says so before another one notifies. In milliseconds. */
const HESITATION = 80;
/** A notification is a line or two. */
const LONGEST = 200;

class Notices {
  start() {
    const { signal } = new AbortController();
    on("arrived", (message) => void this.#arrived(message), signal);
  }

  /** Whether the browser knows notifications at all; plain http away from this machine has none. */
  get canBe() {
    return typeof Notification === "function" && isSecureContext;
  }

  get isOn() {
    return this.canBe && Notification.permission === "granted" && read();
  }

  /**
   * Call it in a gesture: the browser asks the person.
   * @param {boolean} isOn
   * @returns {Promise<boolean>} whether they come from now on
   */
  async turn(isOn) {
    if (isOn && this.canBe && Notification.permission === "default") await Notification.requestPermission();
    try {
      localStorage.setItem(WANTED, isOn ? "on" : "off");
    } catch {
      // Nothing is kept here, so nothing comes.
    }
    return this.isOn;
  }

  /** @param {any} message a new one of somebody else */
  async #arrived(message) {
    const what = `notice:${message.room}:${message.seq}`;
    if (document.hasFocus()) return void live.tabs.claim(what);
    if (!this.isOn || !live.rooms.wants(message.room, callsMe(message)) || live.ready?.user?.status?.state === "dnd") return;
    await new Promise((resolve) => setTimeout(resolve, HESITATION));
    if (await live.tabs.claim(what)) this.#show(message);
  }

  /** @param {{room: number, seq: number, name: string, text?: string}} message */
  #show({ room, seq, name, text }) {
    const { kind, name: place } = live.rooms.get(room) ?? {};
    const title = kind === "channel" ? t("{name} in # {room}", { name, room: place }) : name;
    try {
      // One for each room: the newest takes the place of the last. The tone is the page's own.
      const notice = new Notification(title, { body: (text ?? "").slice(0, LONGEST), tag: `hubbub-${room}`, silent: true });
      notice.addEventListener("click", () => {
        window.focus();
        notice.close();
        location.href = `/m/${room}/${seq}`;
      });
    } catch {
      // Some phones show notifications of service workers only.
    }
  }
}

function read() {
  try {
    return localStorage.getItem(WANTED) === "on";
  } catch {
    return false;
  }
}

export const notices = new Notices();
