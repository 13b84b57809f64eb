// Asks for a token where the receiver wants one.

import { byId, setText } from "./dom.js";
import { keepToken, token } from "./session.js";

/**
 * Return the token form of index.html.
 * @param {{onToken: () => void, onShown: () => void}} handlers onToken: there is another token to
 *   try; onShown: the form came or went
 */
export function createTokenForm({ onToken, onShown }) {
  const section = byId("token");
  const input = byId("token-input");
  const failure = byId("token-failure");

  byId("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const value = input.value.trim();
    if (!value) return;
    keepToken(value);
    input.value = "";
    hide();
    onToken();
  });
  byId("token-show").addEventListener("change", (event) => {
    input.type = event.currentTarget.checked ? "text" : "password";
  });

  function hide() {
    section.hidden = true;
    failure.hidden = true;
    onShown();
  }

  return {
    hide,
    isShown: () => !section.hidden,
    /** Show the form; a token that was refused is forgotten. */
    ask() {
      const refused = token() !== null;
      keepToken(null);
      if (refused) {
        failure.hidden = false;
        setText(failure, "That token was not accepted.");
      }
      if (!section.hidden) return;
      section.hidden = false;
      onShown();
      input.focus();
    },
  };
}
