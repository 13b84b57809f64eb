/** What the panel asks of Grafana's fields beside their values: data links, and colours of value mappings. */

import { MappingType, type DataFrame, type Field, type GrafanaTheme2, type LinkModel } from '@grafana/data';
import { FRAME_CLUSTERS } from '../../frames/schema';
import { type MappedColor } from '../look';

const clustersFrame = (series: DataFrame[]) => series.find(({ name }) => name === FRAME_CLUSTERS);

/** The data links that an editor of the dashboard put on the fields of the clusters' frame, for one cluster. */
export function clusterLinks(series: DataFrame[], id: number): Array<LinkModel<Field>> {
  const frame = clustersFrame(series);
  const ids = frame?.fields.find(({ name }) => name === 'cluster_id');
  const row = ids ? ids.values.indexOf(id) : -1;
  if (!frame || row < 0) {
    return [];
  }
  return frame.fields.flatMap((field) => field.getLinks?.({ valueRowIndex: row }) ?? []);
}

export function severityField(series: DataFrame[]): Field | undefined {
  return clustersFrame(series)?.fields.find(({ name }) => name === 'severity');
}

/** The colours that value mappings on the severity's *field* give. */
export function mappedSeverityColor(field: Field | undefined, theme: GrafanaTheme2): MappedColor {
  const named = new Map<string, string>();
  for (const mapping of field?.config.mappings ?? []) {
    if (mapping.type === MappingType.ValueToText) {
      for (const [value, { color }] of Object.entries(mapping.options)) {
        if (color) {
          named.set(value, theme.visualization.getColorByName(color));
        }
      }
    }
  }
  return (severity) => named.get(severity);
}
