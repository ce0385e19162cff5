// Somebody who uses the HTTP interface: sets up rooms and talks, quicker than by a browser.

export class Person {
  #sent = 0;

  constructor(origin, username) {
    Object.assign(this, { origin, username, cookie: "" });
  }

  /** Somebody who comes in by a form: `/register`, `/guest`. @returns {Promise<Person>} */
  static async by(path, origin, fields) {
    const person = new Person(origin, fields.username ?? fields.display_name);
    await person.form(path, fields);
    return person;
  }

  /** Sends a form of a page, and keeps the cookie that comes with the answer. */
  async form(path, fields) {
    const answer = await fetch(this.origin + path, {
      method: "POST", redirect: "manual", body: new URLSearchParams(fields), headers: this.cookie ? { cookie: this.cookie } : {},
    });
    if (answer.status !== 303) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
    this.cookie = answer.headers.getSetCookie()[0]?.split(";")[0] ?? this.cookie;
  }

  /** Looks at a page, as a browser without script does. */
  async look(path) {
    const answer = await fetch(this.origin + path, { headers: { cookie: this.cookie } });
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status}`);
    return answer.text();
  }

  /** One call of the API. @returns {Promise<any>} what came back, null for nothing */
  async call(method, path, body) {
    const answer = await fetch(`${this.origin}/api/v1${path}`, {
      method, headers: { cookie: this.cookie, "content-type": "application/json" }, body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  /** Creates a channel. @returns {Promise<{id: number, name: string}>} */
  channel(name) {
    return this.call("POST", "/rooms", { kind: "channel", name });
  }

  join(room) {
    return this.call("POST", `/rooms/${room.id}/join`);
  }

  leave(room) {
    return this.call("POST", `/rooms/${room.id}/leave`);
  }

  /** @param {{reply_to?: number, attachments?: string[]}} [more] @returns {Promise<any>} the message */
  async say(room, text, more = {}) {
    this.#sent += 1;
    const message = { nonce: `${this.username}-${Date.now()}-${this.#sent}`.padEnd(20, "x"), text, ...more };
    const send = () => this.call("POST", `/rooms/${room.id}/messages`, message);
    // A kept connection may be closed by the server in the moment it is used again (fetch says TypeError); the nonce
    // makes a second try safe.
    return send().catch((error) => (error instanceof TypeError ? send() : Promise.reject(error)));
  }

  /** Brings a file for a message. @returns {Promise<{id: string, url: string}>} */
  async upload(room, name, buffer) {
    const form = new FormData();
    form.append("file", new Blob([buffer]), name);
    const answer = await fetch(`${this.origin}/api/v1/rooms/${room.id}/attachments`, { method: "POST", body: form, headers: { cookie: this.cookie } });
    if (answer.status !== 201) throw new Error(await answer.text());
    return answer.json();
  }

  /** Many at once, in an order of their own. */
  async sayMany(room, count, word = "line") {
    for (let done = 0; done < count; done += 100) {
      await Promise.all(Array.from({ length: Math.min(100, count - done) }, (_, i) => this.say(room, `${word} ${done + i + 1}`)));
    }
  }

  /** What is stored in a room, in order. */
  async texts(room) {
    const all = [];
    for (let after = 0; ;) {
      const { messages, more } = await this.call("GET", `/rooms/${room.id}/messages?after=${after}&limit=100`);
      all.push(...messages.map(({ text }) => text));
      if (!more) return all;
      after = messages.at(-1).seq;
    }
  }
}
