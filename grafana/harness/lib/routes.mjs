// What Grafana's data source proxy does with a request, by the routes of the built plugin.json. Pure.

/**
 * The first route whose path begins that of the request and whose method fits, as in Grafana's ds_proxy.go; a
 * request that meets none goes to the data source's URL as it is, without what routes add.
 *
 * @param {{method: string, path: string}} request path: behind /api/datasources/proxy/uid/UID/, without a query
 * @param {{url: string, secureJsonData: Record<string, string>}} settings
 * @param {Array<{path: string, method?: string, url?: string, headers?: Array<{name: string, content: string}>}>} routes
 * @returns {{url: string, headers: Record<string, string>}} url: without a query
 */
export function target({ method, path }, settings, routes = []) {
  const route = routes.find((one) => path.startsWith(one.path) && (!one.method || one.method === method));
  if (!route) {
    return { url: joined(settings.url, path), headers: {} };
  }
  const base = route.url ? filled(route.url, settings) : settings.url;
  const headers = Object.fromEntries(
    (route.headers ?? []).map(({ name, content }) => [name.toLowerCase(), filled(content, settings)])
  );
  return { url: joined(base, path.slice(route.path.length)), headers };
}

/** Of Go's templates no more than our routes use. */
function filled(text, { url, secureJsonData }) {
  return text
    .replace(/\{\{\s*\.URL\s*\}\}/g, url)
    .replace(/\{\{\s*orEmpty \.SecureJsonData\.(\w+)\s*\}\}/g, (_, name) => secureJsonData[name] ?? '')
    .replace(/\{\{\s*\.SecureJsonData\.(\w+)\s*\}\}/g, (_, name) => secureJsonData[name] ?? '<no value>');
}

function joined(base, path) {
  return `${base.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`;
}
