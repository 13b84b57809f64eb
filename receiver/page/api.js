// Asks the receiver over HTTP. Every failure is an ApiError whose message can be shown as it is.

const TIMEOUT_MS = 20_000;

/** Why a request failed. `status` is 0 where no answer came. */
export class ApiError extends Error {
  constructor(status, code, message, field = null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.field = field;
  }

  /** Whether only another token can help; the stream's client asks this of a failed ticket. */
  get unauthorized() {
    return this.status === 401;
  }
}

/** The API beside the page. */
export class Api {
  /**
   * @param {URL} base the page's own address: the receiver may live under a route prefix
   * @param {{token: () => string|null, onUnauthorized: () => void}} session
   */
  constructor(base, { token, onUnauthorized }) {
    this.base = base;
    this.token = token;
    this.onUnauthorized = onUnauthorized;
  }

  /** Return the answer to GET *path*; parameters that are null or empty are left out, lists repeat. */
  get(path, parameters = {}, { signal } = {}) {
    return this.#ask("GET", path, { parameters, signal });
  }

  /** Return the answer to PATCH *path* with *body*. */
  patch(path, body) {
    return this.#ask("PATCH", path, { body });
  }

  /** Return a ticket for one socket; null where the receiver gives none because it needs none. */
  async ticket() {
    try {
      const { ticket } = await this.#ask("POST", "tickets", {});
      return ticket;
    } catch (error) {
      if (error.status === 404 || error.status === 405) return null;
      throw error;
    }
  }

  async #ask(method, path, { parameters = {}, body, signal }) {
    const url = new URL(`api/v1/${path}`, this.base);
    for (const [name, value] of Object.entries(parameters)) {
      for (const item of Array.isArray(value) ? value : [value]) {
        if (item !== null && item !== undefined && item !== "") url.searchParams.append(name, item);
      }
    }
    const headers = { Accept: "application/json" };
    const token = this.token();
    if (token) headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const stop = AbortSignal.timeout(TIMEOUT_MS);
    let response;
    try {
      response = await fetch(url, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: "no-store",
        signal: signal ? AbortSignal.any([signal, stop]) : stop,
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      const slow = error.name === "TimeoutError";
      throw new ApiError(0, slow ? "timeout" : "unreachable", "The receiver does not answer.");
    }
    let document = null;
    try {
      document = await response.json();
    } catch (error) {
      if (signal?.aborted) throw error;
    }
    if (response.ok && document !== null) return document;
    if (response.status === 401) this.onUnauthorized();
    throw refusal(response.status, document?.error);
  }
}

const WORDS = {
  401: "A token is needed, or the one given is not valid.",
  403: "This token may only read; changes need an operator's token.",
  404: "There is no such thing here (any more).",
  503: "The receiver is restarting or busy. Try again in a moment.",
};

function refusal(status, error) {
  const message = WORDS[status] ?? error?.message ?? `The receiver refused this (${status}).`;
  return new ApiError(status, error?.code ?? "http", message, error?.field ?? null);
}
