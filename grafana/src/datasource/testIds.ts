/** How tests find what a person finds by sight. */
export const testIds = {
  url: 'stormcell-url',
  token: 'stormcell-token',
  queryType: 'stormcell-query-type',
  queryEditor: 'stormcell-query-editor',
  help: 'stormcell-query-help',
} as const;
