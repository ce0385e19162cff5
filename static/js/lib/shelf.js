/** Where unsent messages rest: IndexedDB, which a crash of the browser doesn't empty, shared by all tabs of the person. */

/** @typedef {import("./outbox.js").Unsent} Unsent */

const STORE = "unsent";
/** The bytes that go with them, by the key of the upload. */
export const FILES = "files";

export class Shelf {
  /** @type {Promise<IDBDatabase | null>} nothing where the browser forbids it */
  base;

  /** @param {number} user */
  constructor(user) {
    this.base = user ? open(`hubbub-outbox-${user}`) : Promise.resolve(null);
  }

  /** @returns {Promise<Unsent[]>} */
  async all() {
    const base = await this.base;
    return base ? answer(base.transaction(STORE).objectStore(STORE).getAll()) : [];
  }

  /** @param {string} nonce @returns {Promise<boolean>} whether it still waits; without a database nobody else can know better */
  async has(nonce) {
    const base = await this.base;
    return base ? (await answer(base.transaction(STORE).objectStore(STORE).count(nonce))) > 0 : true;
  }

  /** @param {Unsent} entry @returns {Promise<boolean>} whether it is on the disk */
  async put(entry) {
    return this.change(STORE, (store) => store.put(entry));
  }

  /** @param {string} nonce */
  async remove(nonce) {
    return this.change(STORE, (store) => store.delete(nonce));
  }

  /** @param {string} name @param {(store: IDBObjectStore) => void} change @returns {Promise<boolean>} */
  async change(name, change) {
    const base = await this.base;
    if (!base) return false;
    return new Promise((resolve) => {
      const work = base.transaction(name, "readwrite", { durability: "strict" });
      work.oncomplete = () => resolve(true);
      work.onabort = () => resolve(false);
      change(work.objectStore(name));
      // A page that is left in the next instant would take an open transaction with it.
      work.commit?.();
    });
  }
}

/** @param {string} name @returns {Promise<IDBDatabase | null>} */
function open(name) {
  return new Promise((resolve) => {
    try {
      const asked = indexedDB.open(name, 2);
      asked.onupgradeneeded = (event) => {
        if (event.oldVersion < 1) asked.result.createObjectStore(STORE, { keyPath: "nonce" });
        asked.result.createObjectStore(FILES);
      };
      asked.onsuccess = () => {
        // A newer page in another tab may need to change it; this one goes on without.
        asked.result.onversionchange = () => asked.result.close();
        resolve(asked.result);
      };
      asked.onerror = asked.onblocked = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
}

/** @template T @param {IDBRequest<T>} asked @returns {Promise<T>} */
export function answer(asked) {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}
