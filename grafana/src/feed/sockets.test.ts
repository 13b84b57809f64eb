import { type FetchResponse } from '@grafana/runtime';
import { Subject } from 'rxjs';
import { lineSockets } from './sockets';

type Part = FetchResponse<Uint8Array | undefined>;
const bytes = (text: string) => new TextEncoder().encode(text);

function opened(address = 'ws://grafana/sub/live/api/v1/stream?after=5&epoch=e1') {
  const parts = new Subject<Part>();
  const urls: string[] = [];
  const Lines = lineSockets((url) => {
    urls.push(url);
    return parts;
  });
  const socket = new Lines(address);
  const heard: string[] = [];
  const closes: number[] = [];
  socket.onmessage = ({ data }) => heard.push(data);
  socket.onclose = ({ code }) => closes.push(code);
  const give = (data: Uint8Array, ok = true) => parts.next({ ok, data } as Part);
  return { socket, parts, urls, heard, closes, give };
}

describe('lines over HTTP', () => {
  it('are read at the same address, below stream.ndjson', () => {
    expect(opened().urls).toEqual(['http://grafana/sub/live/api/v1/stream.ndjson?after=5&epoch=e1']);
  });

  it('are told whole, wherever they were cut, also within a character', () => {
    const { give, heard } = opened();
    const sent = bytes('{"a":"ö"}\n{"b":2}\n{"c"');
    sent.forEach((_, i) => give(sent.subarray(i, i + 1)));

    expect(heard).toEqual(['{"a":"ö"}', '{"b":2}']);
  });

  it.each([
    ['ends', (parts: Subject<Part>) => parts.complete()],
    ['fails', (parts: Subject<Part>) => parts.error(new Error('gone'))],
    ['is refused', (parts: Subject<Part>) => parts.next({ ok: false } as Part)],
  ])('close when the answer %s', (_, end) => {
    const { parts, closes } = opened();
    end(parts);

    expect(closes).toEqual([1006]);
  });

  it('say nothing once closed', () => {
    const { socket, parts, give, heard, closes } = opened();
    socket.close();
    give(bytes('{}\n'));
    parts.complete();

    expect([heard, closes]).toEqual([[], []]);
  });
});
