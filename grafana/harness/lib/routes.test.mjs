import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { target } from './routes.mjs';

const { routes } = JSON.parse(readFileSync(`${import.meta.dirname}/../../src/datasource/plugin.json`, 'utf8'));
const settings = { url: 'http://receiver:9783/prefix/', secureJsonData: { token: 'secret' } };

describe('the routes of the data source', () => {
  it('send the token with reads below live/', () => {
    expect(target({ method: 'GET', path: 'live/api/v1/stream' }, settings, routes)).toEqual({
      url: 'http://receiver:9783/prefix/api/v1/stream',
      headers: { authorization: 'Bearer secret' },
    });
  });

  it.each([
    ['POST', 'live/api/v1/webhook'],
    ['PATCH', 'live/api/v1/clusters/1'],
    ['POST', 'api/v1/webhook'],
    ['GET', 'api/v1/stats'],
  ])('send nothing with %s %s', (method, path) => {
    expect(target({ method, path }, settings, routes).headers).toEqual({});
  });

  it('send an empty token where none is set, not Go’s words for it', () => {
    const sent = target({ method: 'GET', path: 'live/api/v1/stats' }, { ...settings, secureJsonData: {} }, routes);

    expect(sent.headers).toEqual({ authorization: 'Bearer ' });
  });
});
