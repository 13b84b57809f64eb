/** Reads the receiver's lists page by page, up to a bound. */

import { type Api, type Parameters } from '../../feed/api';

/** The most that the receiver gives at a time. */
const PAGE = 1000;
export const MOST_ROWS = 20_000;

interface Page<Item> {
  items: Item[];
  next: string | null;
}

export interface Pages<Item> {
  items: Item[];
  /** There is more than was asked for. */
  more: boolean;
}

/** Items that *wanted* lets pass, at most *limit* of them, out of at most MOST_ROWS looked at. */
export async function readPages<Item>(
  api: Api,
  path: string,
  parameters: Parameters,
  limit: number,
  { cursor = 'cursor', wanted = () => true }: { cursor?: string; wanted?: (item: Item) => boolean } = {}
): Promise<Pages<Item>> {
  const items: Item[] = [];
  let next: string | null = null;
  for (let looked = 0; looked < MOST_ROWS;) {
    const page: Page<Item> = await api.get(path, {
      ...parameters,
      limit: Math.min(PAGE, limit),
      ...(next !== null && { [cursor]: next }),
    });
    items.push(...page.items.filter(wanted));
    looked += page.items.length;
    next = page.next;
    if (items.length > limit || (items.length === limit && next !== null)) {
      return { items: items.slice(0, limit), more: true };
    }
    if (next === null) {
      return { items, more: false };
    }
  }
  return { items, more: true };
}
