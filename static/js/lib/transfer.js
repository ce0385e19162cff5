/** One file on its way into the library, by the protocol tus 1.0: in parts, so that a lost connection costs little. */
import { live } from "./live.js";
import { said, t } from "./words.js";

/** Bytes of one request. What has arrived of it stays, but a proxy may want them small. */
const PART = 32 * 1024 * 1024;
/** How long the pace is looked back at, ms. */
const WINDOW = 5000;
/** Pauses between attempts, ms. They end at once when the server answers again. */
const PAUSES = [1000, 2000, 4000, 8000, 15_000];
const TUS = { "Tus-Resumable": "1.0.0" };

/** @typedef {"waiting" | "sending" | "paused" | "resting" | "done" | "failed" | "gone"} TransferState */
/** What the server has said. @typedef {{status: number, header: (name: string) => string, text: string}} Told */

/** What was refused for good, in the server's words. */
class Refusal extends Error {}

/** Tells of every change by the event `change`. */
export class Transfer extends EventTarget {
  /** @type {TransferState} */ state = "waiting";
  sent = 0;
  error = "";
  /** The item that it became, or 0. */
  item = 0;
  /** The library had the same content already. */
  known = false;
  /** @type {{at: number, sent: number}[]} */ #pace = [];
  /** @type {XMLHttpRequest | null} */ #request = null;
  /** Ends a rest. */
  #wake = () => {};
  #attempts = 0;

  /**
   * @param {Blob} file
   * @param {string} name
   * @param {string} [url] of the upload, where it was begun earlier
   */
  constructor(file, name, url = "") {
    super();
    this.file = file;
    this.name = name;
    this.url = url;
  }

  /** @param {Partial<Transfer>} news */
  become(news) {
    Object.assign(this, news);
    this.dispatchEvent(new Event("change"));
  }

  /** Bytes a second over the last seconds; 0 while nothing is known. */
  get rate() {
    const [first, last] = [this.#pace[0], this.#pace.at(-1)];
    return !first || !last || last.at - first.at < 500 ? 0 : ((last.sent - first.sent) / (last.at - first.at)) * 1000;
  }

  /** Seconds until it is there at this pace; nothing while none is known. */
  get left() {
    return this.rate > 0 ? (this.file.size - this.sent) / this.rate : undefined;
  }

  pause() {
    if (this.state !== "sending" && this.state !== "resting" && this.state !== "waiting") return;
    this.#pace = [];
    this.become({ state: "paused" });
    this.#stop();
  }

  /** Gives it up, and takes back what has arrived. */
  cancel() {
    this.become({ state: "gone" });
    this.#stop();
    if (this.url) void fetch(this.url, { method: "DELETE", headers: TUS }).catch(() => {});
  }

  #stop() {
    this.#request?.abort();
    this.#wake();
  }

  /** Sends until it is there, paused or refused. */
  async run() {
    if (this.state !== "waiting") return;
    this.#attempts = 0;
    this.become({ state: "sending", error: "" });
    while (this.#goesOn()) {
      try {
        await this.#proceed();
      } catch (error) {
        if (!this.#goesOn()) return;
        if (error instanceof Refusal) return this.become({ state: "failed", error: error.message });
        await this.#rest();
      }
    }
  }

  #goesOn() {
    return this.state === "sending" || this.state === "resting";
  }

  /** From where the server stands to the end; fails at the first trouble. */
  async #proceed() {
    this.url ||= await this.#announce();
    const told = await this.#ask("HEAD", this.url);
    // Given up too long ago, by this side or the other.
    if (told.status === 404) return this.become({ url: "", sent: 0 });
    this.#note(check(told));
    while (this.state === "sending" && !this.item) {
      const part = this.file.slice(this.sent, Math.min(this.file.size, this.sent + PART));
      const headers = { "Upload-Offset": String(this.sent), "Content-Type": "application/offset+octet-stream" };
      this.#note(check(await this.#ask("PATCH", this.url, headers, part)));
      this.#attempts = 0;
    }
  }

  async #announce() {
    const bytes = new TextEncoder().encode(this.name);
    const name = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    const told = check(await this.#ask("POST", "/api/v1/media", { "Upload-Length": String(this.file.size), "Upload-Metadata": `filename ${name}` }));
    const url = told.header("Location");
    this.become({ url });
    return url;
  }

  /** @param {Told} told */
  #note(told) {
    const [sent, item] = [Number(told.header("Upload-Offset")), Number(told.header("Hubbub-Item"))];
    this.#attempts = 0;
    if (this.state === "resting") this.state = "sending";
    this.#progress(sent);
    if (item) this.become({ state: "done", item, known: told.header("Hubbub-Known") !== "" });
  }

  /** @param {number} sent */
  #progress(sent) {
    const at = performance.now();
    this.#pace = [...this.#pace.filter((one) => at - one.at < WINDOW && one.sent <= sent), { at, sent }];
    this.become({ sent });
  }

  /**
   * @param {string} method
   * @param {string} url
   * @param {Record<string, string>} [headers]
   * @param {Blob} [body]
   * @returns {Promise<Told>} fails when there was no answer
   */
  #ask(method, url, headers = {}, body) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      this.#request = request;
      request.open(method, url);
      for (const [name, value] of Object.entries({ ...TUS, ...headers })) request.setRequestHeader(name, value);
      const start = this.sent;
      if (body) request.upload.onprogress = ({ loaded }) => this.state === "sending" && this.#progress(start + loaded);
      request.onloadend = () => {
        this.#request = null;
        if (request.status === 0) return reject(new Error("no answer"));
        resolve({ status: request.status, header: (name) => request.getResponseHeader(name) ?? "", text: request.responseText });
      };
      request.send(body);
    });
  }

  /** Waits until another attempt makes sense. */
  async #rest() {
    this.#pace = [];
    this.become({ state: "resting" });
    const ms = PAUSES[Math.min(this.#attempts++, PAUSES.length - 1)];
    await new Promise((resolve) => {
      this.#wake = () => resolve(undefined);
      live.addEventListener("ready", this.#wake, { once: true });
      setTimeout(this.#wake, ms);
    });
    live.removeEventListener("ready", this.#wake);
    if (this.state === "resting") this.become({ state: "sending" });
  }
}

/** @param {Told} told @returns {Told} fails with the server's words, or so that another attempt is made */
function check(told) {
  if (told.status < 300) return told;
  // Somebody else went on with it, too quick, or the server has trouble: where it stands now is asked again.
  if (told.status === 409 || told.status === 429 || told.status >= 500) throw new Error(`answered ${told.status}`);
  throw new Refusal(said(reason(told.text)));
}

/** The sentence about the file itself, where there is one. @param {string} text */
function reason(text) {
  try {
    const problem = JSON.parse(text);
    return problem.fields?.[0]?.message ?? problem.detail ?? t("That did not work");
  } catch {
    return t("That did not work");
  }
}
