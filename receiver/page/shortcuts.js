// Keys that work anywhere but where text is typed.

/**
 * Listen for keys.
 * @param {Record<string, () => void>} actions by key
 */
export function listenForShortcuts(actions) {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function isTyping(target) {
  return (
    target instanceof Element &&
    Boolean(
      target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]"),
    )
  );
}
