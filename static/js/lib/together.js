/**
 * Watching with others: keeps the page's player where everybody is, and moves everybody when the person moves it.
 *
 * @typedef {{item: number, playing: boolean, position: number, rate: number, at: number, by: number, version: number}} State
 * @typedef {{room: number, watching: number, people: {user: number, name: string}[], state: State | null, begun?: boolean}} Told
 * @typedef {import("../media/player.js").MediaPlayer} MediaPlayer
 */
import { correction, positionAt } from "./drift.js";
import { live, on } from "./live.js";
import { ServerTime } from "./servertime.js";
import { Silence } from "./silence.js";
import { RequestError } from "./socket.js";

/** How often the player is looked at. Milliseconds, as all here. */
const LOOK = 200;
/** How often the server's clock is asked for, once it is known. */
const ASK = 10_000;
/** A still picture that is off by less than this is the same picture. */
const STILL = 30;
/** A hand on the bar moves it more often than others can follow. */
const APART = 150;
/** A jump that led too early or too late isn't made good by another one before this. */
const PATIENCE = 1500;

export class Together {
  /** Nothing while nobody watches. @type {State | null} */
  state = null;
  isWatching = false;
  time = new ServerTime(async () => Number((await live.socket.request("ping")).at));
  #corrects = false;
  /** Where a jump of ours leads, seconds. @type {number | null} */ #target = null;
  #jumped = 0;
  /** How long a jump takes here. */
  #takes = 120;
  #asked = 0;
  #sent = 0;
  /** At the last look it was elsewhere. */ #isDoubtful = false;
  /** It won't even play without sound before a gesture. */ #isRefused = false;
  /** @type {Told | null} */ #last = null;
  /** @type {any} */ #later = null;
  /** @type {Partial<State>} */ #wanted = {};
  /** @type {AbortController} */ #watch = new AbortController();

  /**
   * @param {MediaPlayer} player
   * @param {number} room the talk
   * @param {(told: Told) => void} show
   * @param {AbortSignal} signal
   */
  constructor(player, room, show, signal) {
    this.player = player;
    this.media = player.media;
    this.room = room;
    this.show = show;
    this.silence = new Silence(player.media, () => { if (this.#last) show(this.#last); });
    on("together", (told) => { if (told.room === room) this.#told(told); }, signal);
    on("room", (told) => { if (told.id === room && told.gone) this.#lost(); }, signal);
    on("ready", () => void this.#back(), signal);
    signal.addEventListener("abort", () => this.#watch.abort());
    if (live.ready) void this.#back();
  }

  /** Watches from now on; what the player does begins it where nobody watched. */
  async join() {
    await this.time.measure(5);
    const { playing, position, rate } = this.#own;
    const told = await this.#ask("join", { playing, position, rate });
    const meanwhile = this.#own;
    if (!this.isWatching) {
      this.#begin();
      if (told.begun) this.#goOn(told, meanwhile);
    }
    this.#told(told);
    this.#apply();
    return told;
  }

  /** What the person did while the server was asked to begin moves everybody too. @param {Told} told @param {{playing: boolean, position: number}} own */
  #goOn(told, { playing, position }) {
    this.state = told.state;
    if (!told.state) return;
    if (playing !== told.state.playing || Math.abs(position - this.#wantedPosition) > PATIENCE) this.#move({ playing, position });
  }

  async leave() {
    this.#end();
    this.#told(await this.#ask("leave", {}));
  }

  /** A gesture has come: with sound. */
  async unmute() {
    this.#isRefused = false;
    this.silence.end();
    await this.#play();
  }

  /** How far the player is ahead of everybody, ms. */
  get drift() {
    return this.state ? this.media.currentTime * 1000 - this.#wantedPosition : 0;
  }

  get #wantedPosition() {
    const end = (this.player.length || Infinity) * 1000;
    return this.state ? Math.min(positionAt(this.state, this.time.now), end) : 0;
  }

  /** What would be begun with: after a cut where everybody was, else what the player does. */
  get #own() {
    if (this.isWatching && this.state) return { ...this.state, position: Math.round(this.#wantedPosition) };
    return { playing: !this.media.paused, position: Math.round(this.media.currentTime * 1000), rate: this.media.defaultPlaybackRate };
  }

  /** @param {string} deed @param {object} fields @returns {Promise<Told>} */
  async #ask(deed, fields) {
    return /** @type {any} */ (await live.socket.request("together", { room: this.room, do: deed, ...fields }));
  }

  /** There is a connection, for the first time or again. */
  async #back() {
    try {
      if (!this.isWatching) return this.#told(await this.#ask("look", {}));
      this.show(await this.join());
    } catch (error) {
      if (error instanceof RequestError && error.code === "offline") return;
      this.#end();
      this.show({ room: this.room, watching: 0, people: [], state: null });
    }
  }

  /** The person has left the talk, here or elsewhere. */
  #lost() {
    this.#end();
    this.state = null;
    void this.#back();
  }

  #begin() {
    this.isWatching = true;
    this.#watch = new AbortController();
    const { signal } = this.#watch;
    const facts = /** @type {const} */ ([["media-played", () => this.#played()], ["media-paused", () => this.#paused()], ["media-sought", () => this.#sought()], ["media-rated", () => this.#rated()]]);
    for (const [fact, heard] of facts) this.player.addEventListener(fact, heard, { signal });
    this.silence.listen(signal);
    const look = setInterval(() => this.#look(), LOOK);
    signal.addEventListener("abort", () => clearInterval(look));
  }

  #end() {
    this.isWatching = false;
    this.#watch.abort();
    clearTimeout(this.#later);
    this.#corrects = false;
    this.media.playbackRate = this.media.defaultPlaybackRate;
  }

  /** @param {Told} told */
  #told(told) {
    this.#last = told;
    const isNew = told.state !== null && told.state.version > (this.state?.version ?? 0);
    // What the person does this very moment comes after it.
    const isBusy = isNew && Object.keys(this.#wanted).length > 0;
    if (told.state === null) this.state = null;
    else if (isNew) this.state = isBusy && this.state ? { ...this.state, version: told.state.version } : told.state;
    this.show(told);
    if (isNew && !isBusy && this.isWatching) this.#apply();
  }

  /** Does what everybody does. */
  #apply() {
    const { media, state } = this;
    if (!state) return;
    if (media.defaultPlaybackRate !== state.rate) {
      media.defaultPlaybackRate = state.rate;
      media.playbackRate = state.rate;
    }
    this.#jumped = 0;
    if (state.playing && media.paused && !this.#isOver) void this.#play();
    else if (!state.playing && !media.paused) media.pause();
    this.#look(true);
  }

  get #isOver() {
    return this.player.length > 0 && this.#wantedPosition >= this.player.length * 1000 - 50;
  }

  async #play() {
    if (!this.state?.playing) return;
    try {
      await this.media.play();
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "NotAllowedError") return;
      // Without sound it may, and nobody is left behind.
      this.silence.begin();
      await this.media.play().catch(() => { this.#isRefused = true; });
    }
  }

  /** Comes nearer to where everybody is. @param {boolean} [isNew] where that is has been told this moment */
  #look(isNew = false) {
    const { media, state } = this;
    if (live.isUp && this.time.now - this.#asked > ASK) {
      this.#asked = this.time.now;
      this.time.measure(1).catch(() => {});
    }
    if (!state || media.seeking || media.readyState < 1) return void this.#surely(false);
    const { drift } = this;
    if (!state.playing || this.#isOver) {
      this.#rate(state.rate, false);
      if (this.#surely(Math.abs(drift) > STILL, isNew)) this.#jump(this.#wantedPosition);
      return;
    }
    if (media.paused) {
      if (!this.#surely(true, isNew)) return;
      if (media.ended || Math.abs(drift) > PATIENCE) this.#jump(this.#wantedPosition);
      if (!this.#isRefused) void this.#play();
      return;
    }
    if (media.readyState < 3) return;
    const { jump, rate } = correction(drift, state.rate, this.#corrects);
    if (this.#surely(jump, isNew)) this.#jump(this.#wantedPosition + this.#takes * state.rate);
    else if (!jump) this.#rate(rate, rate !== state.rate);
  }

  /**
   * Whether the player is elsewhere at a second look too. The browser tells of a pause or a jump only after it has happened;
   * a look in between would take back what the person has just done.
   * @param {boolean} isElsewhere
   * @param {boolean} [isNew]
   */
  #surely(isElsewhere, isNew = false) {
    const isSure = isElsewhere && (this.#isDoubtful || isNew);
    this.#isDoubtful = isElsewhere;
    return isSure;
  }

  /** @param {number} rate @param {boolean} corrects */
  #rate(rate, corrects) {
    this.#corrects = corrects;
    if (Math.abs(this.media.playbackRate - rate) > 0.001) this.media.playbackRate = rate;
  }

  /** @param {number} position ms */
  #jump(position) {
    const now = performance.now();
    if (now - this.#jumped < PATIENCE) return;
    this.#jumped = now;
    this.#target = position / 1000;
    this.#rate(this.state?.rate ?? 1, false);
    this.media.currentTime = this.#target;
  }

  #played() {
    if (this.state && !this.state.playing) this.#move({ playing: true, position: this.#here });
  }

  #paused() {
    if (this.state?.playing && !this.media.ended && !this.#isOver) this.#move({ playing: false, position: this.#here });
  }

  #sought() {
    const { media } = this;
    const target = this.#target;
    this.#target = null;
    if (target !== null && Math.abs(media.currentTime - target) < 0.5) {
      if (!media.paused) this.#takes = 0.7 * this.#takes + 0.3 * Math.min(1000, performance.now() - this.#jumped);
      return this.#look();
    }
    this.#move({ position: this.#here });
  }

  #rated() {
    const rate = this.media.defaultPlaybackRate;
    if (this.state && rate !== this.state.rate) this.#move({ rate });
  }

  get #here() {
    return Math.round(this.media.currentTime * 1000);
  }

  /** Moves everybody; here it has happened already. @param {Partial<State>} wanted */
  #move(wanted) {
    if (!this.state) return;
    const at = this.time.now;
    this.state = { ...this.state, position: Math.round(this.#wantedPosition), at, ...wanted };
    this.#wanted = { ...this.#wanted, ...wanted };
    clearTimeout(this.#later);
    this.#later = setTimeout(() => void this.#send(), Math.max(0, this.#sent + APART - performance.now()));
  }

  async #send(isAgain = false) {
    const wanted = this.#wanted;
    this.#wanted = {};
    this.#sent = performance.now();
    const version = this.state?.version ?? 0;
    try {
      this.#told(await this.#ask("move", { version, ...wanted }));
    } catch (error) {
      const code = error instanceof RequestError ? error.code : "";
      if (code === "not_watching") return void this.join().catch(() => {});
      if (code !== "outdated" || isAgain) return void this.#relearn();
      // Somebody was quicker: the newer state is here, and what the person wanted besides is added to it.
      await this.#relearn();
      this.#wanted = wanted.playing === undefined ? wanted : { playing: wanted.playing };
      await this.#send(true);
    }
  }

  /** Takes the server's state for what it is. */
  async #relearn() {
    try {
      const told = await this.#ask("look", {});
      this.state = told.state;
      this.show(told);
      this.#apply();
    } catch {
      // Without a connection it is learned when that is back.
    }
  }
}
