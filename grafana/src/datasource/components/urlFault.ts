/** What is wrong with a URL, as far as one can see without asking it; empty if nothing. Pure. */
export function urlFault(given: string | undefined): string {
  if (!given) {
    return '';
  }
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    return 'Expected a URL such as http://stormcell:9783.';
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return 'Expected http:// or https://; the socket is made of the same.';
  }
  if (url.username || url.password) {
    return 'The receiver knows no passwords: give a read token below.';
  }
  if (/\/api(\/v1)?\/?$/.test(url.pathname)) {
    return 'Leave out /api/v1: it is added.';
  }
  if (url.search || url.hash) {
    return 'Expected a URL without ? and #.';
  }
  return '';
}
