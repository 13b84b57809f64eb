/** Breaks a title into the lines of a cell. Pure. */

export interface Measure {
  width(text: string, font: string): number;
  fit(text: string, font: string, widest: number): string;
}

/** *text* in at most *most* lines of *widest* px; what does not fit ends in an ellipsis. */
export function wrap(text: string, font: string, widest: number, most: number, measure: Measure): string[] {
  const lines: string[] = [];
  let rest = text.split(' ').filter(Boolean);
  while (rest.length && lines.length < most) {
    if (lines.length === most - 1) {
      return [...lines, measure.fit(rest.join(' '), font, widest)].filter(Boolean);
    }
    let words = 1;
    while (words < rest.length && measure.width(rest.slice(0, words + 1).join(' '), font) <= widest) {
      words += 1;
    }
    lines.push(measure.fit(rest.slice(0, words).join(' '), font, widest));
    rest = rest.slice(words);
  }
  return lines.filter(Boolean);
}
