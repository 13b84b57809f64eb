// What this browser remembers of its user: theme, name, range. Never anything secret.

const PREFIX = "stormcell.";

/** Return what is kept under *name*; *fallback* if nothing is, or storage is forbidden. */
export function recall(name, fallback = "") {
  try {
    return localStorage.getItem(PREFIX + name) ?? fallback;
  } catch {
    return fallback;
  }
}

/** Keep *value* under *name*; an empty one is forgotten. */
export function remember(name, value) {
  try {
    if (value === "" || value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, String(value));
  } catch {
    // The page works without.
  }
}
