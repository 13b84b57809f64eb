// Small helpers that make and change elements. Text only ever becomes text nodes.

/**
 * Return a new element.
 * @param {string} tag may carry classes: "p.muted.small"
 * @param {Record<string, any>} [props] attributes; `on*` functions become listeners; null and false are left out
 * @param {...(Node|string|number|null|undefined|false|Array)} children
 */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const node = document.createElement(name);
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(node, child);
    else node.append(child instanceof Node ? child : String(child));
  }
}

/** Replace what *node* holds. */
export function fill(node, ...children) {
  node.replaceChildren();
  append(node, children);
  return node;
}

/** Set the text of *node*, touching the document only where it differs. */
export function setText(node, text) {
  const next = String(text);
  if (node.textContent !== next) node.textContent = next;
}

/** Set or remove an attribute, touching the document only where it differs. */
export function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else {
    const next = value === true ? "" : String(value);
    if (node.getAttribute(name) !== next) node.setAttribute(name, next);
  }
}

const SVG = "http://www.w3.org/2000/svg";

/** Return a new SVG element. */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  node.append(...children);
  return node;
}

/** Return the icon of that name, one of the symbols in index.html; decoration, never the only word. */
export function icon(name) {
  return svg(
    "svg",
    { class: "icon", "aria-hidden": "true", focusable: "false" },
    svg("use", { href: `#icon-${name}` }),
  );
}

const kept = new WeakMap();

/**
 * Make the children of *parent* show *items* in order, with one element a key that lives as long as its
 * item: focus, hover and open details survive an update.
 * @param {(item: any) => any} keyOf
 * @param {(item: any) => HTMLElement} create
 * @param {(node: HTMLElement, item: any) => void} [update]
 */
export function keyed(parent, items, keyOf, create, update = () => {}) {
  const before = kept.get(parent) ?? new Map();
  const after = new Map();
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const node = before.get(key) ?? create(item);
    before.delete(key);
    after.set(key, node);
    update(node, item);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  for (const node of before.values()) node.remove();
  kept.set(parent, after);
}

/** Return the element of *id*, which index.html must have. */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`index.html has no #${id}`);
  return node;
}
