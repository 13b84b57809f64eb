/**
 * Text on canvas: made harmless, cut to a width, measured once.
 *
 * Titles are made of label values, and those come from anywhere.
 */

/** Longer than any lane is wide; measuring costs by length. */
const LONGEST = 200;
const CACHE_SIZE = 2000;

const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
/** Bidi marks, embeddings, overrides and isolates; zero-width characters; the byte order mark; tags; lone surrogates. */
const INVISIBLE = /[\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Cs}/gu;
/** More than two marks on a letter climb into the lanes above. */
const PILED_MARKS = /(\p{M}{2})\p{M}+/gu;

/** *text* as one line of at most 200 characters, without what could reorder, hide or pile up. */
export function drawable(text) {
  if (text === null || text === undefined) return "";
  // Four times as much before cleaning: what is stripped must not shorten what is left, nor 5 kB cost 5 kB.
  const line = String(text).slice(0, LONGEST * 4)
    .replace(CONTROL, " ").replace(INVISIBLE, "").replace(PILED_MARKS, "$1").replace(/\s+/g, " ").trim();
  const characters = [...line];
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join("")}…` : line;
}

/** Measures and cuts text, remembering both. */
export class TextMeasure {
  #context; #widths = new Map(); #cuts = new Map();

  /** @param {CanvasRenderingContext2D} context its font is changed */
  constructor(context) { this.#context = context; }

  /** Width in CSS px. */
  width(text, font) {
    return this.#remember(this.#widths, `${font}\n${text}`, () => {
      if (this.#context.font !== font) this.#context.font = font;
      return this.#context.measureText(text).width;
    });
  }

  /** *text* cut to *widest* px with an ellipsis; "" where not even three characters fit. */
  fit(text, font, widest) {
    if (this.width(text, font) <= widest) return text;
    return this.#remember(this.#cuts, `${font}\n${Math.floor(widest)}\n${text}`, () => this.#cut([...text], font, widest));
  }

  clear() {
    this.#widths.clear();
    this.#cuts.clear();
  }

  #cut(characters, font, widest) {
    let fits = 0;
    let tooMany = characters.length;
    while (tooMany - fits > 1) {
      const middle = (fits + tooMany) >> 1;
      if (this.#uncached(`${characters.slice(0, middle).join("").trimEnd()}…`, font) <= widest) fits = middle;
      else tooMany = middle;
    }
    return fits < 3 ? "" : `${characters.slice(0, fits).join("").trimEnd()}…`;
  }

  #uncached(text, font) {
    this.#context.font = font;
    return this.#context.measureText(text).width;
  }

  #remember(cache, key, compute) {
    const known = cache.get(key);
    if (known !== undefined) return known;
    if (cache.size >= CACHE_SIZE) cache.clear();
    const value = compute();
    cache.set(key, value);
    return value;
  }
}

/** 1234 → "1,234"; from 100,000 on "123k". */
export function countText(count) {
  if (count >= 1e6) return `${(count / 1e6).toFixed(count < 1e7 ? 1 : 0)}M`;
  if (count >= 1e5) return `${Math.round(count / 1e3)}k`;
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "1 cluster", "2 clusters". */
export const counted = (count, noun) => `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;
