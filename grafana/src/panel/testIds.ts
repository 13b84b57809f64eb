/** Ids by which tests find the panel's parts. */
export const testIds = {
  panel: 'stormcell-panel',
  canvas: 'stormcell-canvas',
  situation: 'stormcell-situation',
  connection: 'stormcell-connection',
  legend: 'stormcell-legend',
  table: 'stormcell-table',
  tooltip: 'stormcell-tooltip',
  drawer: 'stormcell-drawer',
  silence: 'stormcell-silence',
};
