import { describe, expect, it } from 'vitest';
import { wrap } from './wrap';

/** Each character is a pixel wide. Leaves out fonts. */
const measure = {
  width: (text: string) => text.length,
  fit: (text: string, _: string, widest: number) => (text.length <= widest ? text : `${text.slice(0, widest - 1)}…`),
};

describe('wrapping', () => {
  it('breaks between words', () => {
    expect(wrap('one two three four', '', 9, 3, measure)).toEqual(['one two', 'three', 'four']);
  });

  it('cuts what does not fit into the last line', () => {
    expect(wrap('one two three four', '', 9, 2, measure)).toEqual(['one two', 'three fo…']);
  });

  it('cuts a word that is too long', () => {
    expect(wrap('abcdefghijkl m', '', 6, 2, measure)).toEqual(['abcde…', 'm']);
  });

  it('has no line for no text', () => {
    expect(wrap('  ', '', 6, 2, measure)).toEqual([]);
  });
});
