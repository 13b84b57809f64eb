// What is open is in the address: #cluster=7 and #alert=FINGERPRINT can be sent to a colleague.

/** Return what *hash* names: {kind: "cluster"|"alert", id}, or null. */
export function parseRoute(hash) {
  const named = new URLSearchParams(hash.replace(/^#/, ""));
  const cluster = named.get("cluster");
  if (cluster && /^[1-9]\d{0,15}$/.test(cluster)) return { kind: "cluster", id: Number(cluster) };
  const alert = named.get("alert");
  if (alert && /^[\w-]{1,64}$/.test(alert)) return { kind: "alert", id: alert };
  return null;
}

/** Opens and closes by the address, so that Back closes. */
export class Router {
  /** @param {(route: {kind: string, id: any}|null) => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    this.current = null;
    this.closing = false;
    addEventListener("popstate", () => this.#read());
    addEventListener("hashchange", () => this.#read());
  }

  /** Read the address the page was opened with. */
  start() {
    this.#read();
  }

  /** Open *kind* with *id*; one entry of history for any number of cards in a row. */
  open(kind, id) {
    const address = `#${kind}=${id}`;
    if (location.hash === address) return;
    if (this.current) history.replaceState(history.state, "", address);
    else history.pushState({ opened: true }, "", address);
    this.#read();
  }

  /** Close what is open. */
  close() {
    if (!this.current || this.closing) return;
    if (history.state?.opened) {
      // Going back takes a moment; going back twice would leave the page.
      this.closing = true;
      history.back();
    } else {
      history.replaceState(null, "", location.pathname + location.search);
      this.#read();
    }
  }

  /** Put right which cluster the address names, without opening anything. */
  correct(kind, id) {
    history.replaceState(history.state, "", `#${kind}=${id}`);
    this.current = { kind, id };
  }

  #read() {
    this.closing = false;
    const next = parseRoute(location.hash);
    if (next?.kind === this.current?.kind && next?.id === this.current?.id) return;
    this.current = next;
    this.onChange(next);
  }
}
