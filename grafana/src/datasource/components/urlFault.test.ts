import { urlFault } from './urlFault';

describe('a URL', () => {
  it.each(['', undefined, 'http://stormcell:9783', 'https://example.com/prefix/'])('may be %s', (url) => {
    expect(urlFault(url)).toBe('');
  });

  it.each([
    ['stormcell:9783', /Expected http/],
    ['nonsense', /such as/],
    ['ws://stormcell:9783', /Expected http/],
    ['http://me:secret@stormcell', /read token/],
    ['http://stormcell:9783/api/v1', /Leave out/],
    ['http://stormcell:9783/?a=b', /without/],
  ])('may not be %s', (url, words) => {
    expect(urlFault(url)).toMatch(words);
  });
});
