// What an operator may say of a cluster: acknowledge, note, pin, rename. Shown at once, taken back with the
// reason where the receiver refuses.

import { h, icon, setAttribute, setText } from "./dom.js";
import { recall, remember } from "./preference.js";
import { foreign, visible } from "./text.js";

/**
 * Return the operator's part of a card: {actions, note, update}.
 * @param {{patch: (changes: object) => Promise<void>}} parts patch shows *changes* at once and rejects with
 *   an ApiError if they were refused
 */
export function createOperator({ patch }) {
  let cluster = null;
  const failure = h("p.failed", { role: "alert", hidden: true });
  const send = async (changes, after = () => {}) => {
    failure.hidden = true;
    try {
      await patch(changes);
      after();
    } catch (error) {
      failure.hidden = false;
      setText(failure, `Not saved: ${error.message}`);
    }
  };

  const ack = acknowledging(send);
  const pin = h(
    "button",
    { type: "button", "aria-pressed": "false", onclick: () => send({ pinned: !cluster.pinned }) },
    icon("pin"),
    h("span", {}, "Pin"),
  );
  const renaming = createRename(send, () => cluster);
  const note = createNote(send);
  const actions = h("div.actions", {}, ack.node, pin, renaming.button);
  return {
    actions: h("div", {}, actions, ack.form, renaming.form, failure),
    note: note.node,
    /**
     * @param {object} next the cluster with what was sent and is not answered yet
     * @param {object} kept the cluster as the receiver has it; a note counts as saved only when it is here
     */
    update(next, kept) {
      cluster = next;
      setAttribute(pin, "aria-pressed", String(next.pinned));
      setText(pin.lastChild, next.pinned ? "Pinned" : "Pin");
      ack.update(next);
      note.update(kept);
    },
  };
}

function acknowledging(send) {
  const name = h("input", {
    type: "text",
    name: "who",
    maxlength: 80,
    required: true,
    autocomplete: "nickname",
    id: "ack-name",
  });
  const form = h(
    "form.inline-form",
    { hidden: true },
    h("label", { for: "ack-name" }, "Your name"),
    name,
    h("button.primary", { type: "submit" }, "Acknowledge"),
    h("button", { type: "button", onclick: () => close() }, "Cancel"),
  );
  const words = h("span", {}, "Acknowledge");
  const button = h("button.primary", { type: "button" }, icon("ack"), words);
  const other = h("button.link.small", { type: "button", hidden: true, onclick: () => open() }, "not you?");
  const node = h("span.ack", {}, button, other);
  let acked = false;

  const open = () => {
    form.hidden = false;
    name.value = recall("name");
    name.focus();
    name.select();
  };
  const close = () => {
    form.hidden = true;
    button.focus();
  };
  button.addEventListener("click", () => {
    if (acked) send({ acked_by: "" });
    else if (recall("name")) send({ acked_by: recall("name") });
    else open();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const who = name.value.trim();
    if (!who) return;
    remember("name", who);
    close();
    send({ acked_by: who });
  });
  form.addEventListener("keydown", (event) => escape(event, close));

  return {
    node,
    form,
    update(cluster) {
      acked = Boolean(cluster.acked_by);
      const known = recall("name");
      const mine = known ? `Acknowledge as ${visible(known, { limit: 24 })}` : "Acknowledge";
      setText(words, acked ? "Take acknowledgement back" : mine);
      button.classList.toggle("primary", !acked);
      other.hidden = acked || !known;
    },
  };
}

function createRename(send, current) {
  const title = h("input", {
    type: "text",
    name: "title",
    maxlength: 120,
    id: "rename-title",
    autocomplete: "off",
  });
  const form = h(
    "form.inline-form",
    { hidden: true },
    h("label", { for: "rename-title" }, "Title (empty: the one made from its alerts)"),
    title,
    h("button.primary", { type: "submit" }, "Rename"),
    h("button", { type: "button", onclick: () => close() }, "Cancel"),
  );
  const button = h(
    "button",
    { type: "button", onclick: () => open() },
    icon("pencil"),
    h("span", {}, "Rename"),
  );
  const open = () => {
    form.hidden = false;
    title.value = current().title;
    title.focus();
    title.select();
  };
  const close = () => {
    form.hidden = true;
    button.focus();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const next = title.value.trim();
    close();
    if (next !== current().title) send({ title: next });
  });
  form.addEventListener("keydown", (event) => escape(event, close));
  return { button, form };
}

/** Notes typed and not saved, by cluster: closing a card must not lose them. */
const drafts = new Map();

function createNote(send) {
  const area = h("textarea", {
    id: "note",
    rows: 2,
    maxlength: 4000,
    placeholder: "What you found, for whoever looks next",
  });
  const save = h("button.primary", { type: "submit", disabled: true }, "Save note");
  const form = h("form.note", {}, h("label.unseen", { for: "note" }, "Note"), area, save);
  let saved = "";
  let id = null;
  const compare = () => {
    const same = area.value === saved;
    setAttribute(save, "disabled", same);
    if (same) drafts.delete(id);
    else drafts.set(id, area.value);
  };
  area.addEventListener("input", compare);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = area.value;
    send({ note: text }, () => {
      saved = text;
      compare();
    });
  });
  return {
    node: form,
    update(cluster) {
      const next = cluster.note ?? "";
      if (id === null) {
        id = cluster.id;
        area.value = drafts.get(id) ?? saved;
      }
      if (next === saved) return;
      // Somebody else's words must not wipe out what is being typed.
      if (area.value === saved) area.value = next;
      saved = next;
      compare();
    },
  };
}

function escape(event, close) {
  if (event.key !== "Escape") return;
  event.preventDefault();
  event.stopPropagation();
  close();
}

/** Return who acknowledged *cluster*, in words, or null. */
export function ackWords(cluster) {
  return cluster.acked_by
    ? h("span", {}, "Acknowledged by ", foreign(cluster.acked_by, { limit: 80 }))
    : null;
}
