// The token, if the receiver wants one. Kept for this tab only and sent nowhere but to the receiver.

const KEY = "stormcell.token";

/** Return the token; null if there is none. */
export function token() {
  try {
    return sessionStorage.getItem(KEY) || null;
  } catch {
    return memory;
  }
}

// Where storage is forbidden the token lives as long as the page.
let memory = null;

/** Keep *value* as the token; null forgets it. */
export function keepToken(value) {
  memory = value;
  try {
    if (value) sessionStorage.setItem(KEY, value);
    else sessionStorage.removeItem(KEY);
  } catch {
    // memory has it
  }
}
