/** When Grafana should suggest this panel: for the frames of our data source, and for nothing else. Pure. */

import {
  VisualizationSuggestionScore,
  type PanelDataSummary,
  type VisualizationSuggestionsSupplier,
} from '@grafana/data';
import { View, type Options } from './types';

/** So many rows make a picture that can be told from another at the size of a card. */
const PREVIEW_ROWS = 500;
/** Of the events' frame and of the clusters' frame: no other data has all of either. */
const TELLING = [
  ['seq', 'type', 'cluster_id'],
  ['cluster_id', 'severity', 'firing', 'state'],
];

export const suggest: VisualizationSuggestionsSupplier<Options> = (summary: PanelDataSummary) => {
  if (!summary.hasData || !isOurs(summary)) {
    return undefined;
  }
  const cardOptions = {
    maxRows: PREVIEW_ROWS,
    previewModifier: (suggestion: { options?: Partial<Options> }) => {
      suggestion.options = { ...suggestion.options, legend: false };
    },
  };
  return [
    {
      name: 'Storm cells over time',
      score: VisualizationSuggestionScore.Best,
      options: { view: View.Evolution },
      cardOptions,
    },
    { name: 'Storm cells now', score: VisualizationSuggestionScore.Good, options: { view: View.Now }, cardOptions },
  ];
};

function isOurs({ rawFrames }: PanelDataSummary): boolean {
  return (rawFrames ?? []).some(({ fields }) => {
    const names = new Set(fields.map(({ name }) => name));
    return TELLING.some((wanted) => wanted.every((name) => names.has(name)));
  });
}
