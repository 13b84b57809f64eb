import { css } from '@emotion/css';
import { dateTimeFormat, type GrafanaTheme2, LoadingState, type PanelProps } from '@grafana/data';
import { PanelDataErrorView } from '@grafana/runtime';
import { RadioButtonGroup, useStyles2, useTheme2 } from '@grafana/ui';
import { count } from '@page/format.js';
import { visible } from '@page/text.js';
import React, { useCallback, useMemo, useState } from 'react';
import { CanvasHost, type Hover } from './CanvasHost';
import { ClusterTable } from './ClusterTable';
import { ClusterTooltip } from './ClusterTooltip';
import { heldBackWords, quietWords } from './clusterWords';
import { ConnectionMark } from './ConnectionMark';
import { clusterLinks, mappedSeverityColor, severityField } from './data/fields';
import { useFeed } from './data/useFeed';
import { ClusterDrawer } from './drawer/ClusterDrawer';
import { Legend } from './Legend';
import { legendItems, lookFor } from './look';
import { drawnRange, isLive } from './range';
import { SituationLine } from './SituationLine';
import { situationOf } from './situation';
import { testIds } from './testIds';
import { drawingTheme } from './theme';
import { axisTime } from './time';
import { type Options, View } from './types';
import { useReducedMotion } from './useReducedMotion';

const VIEWS = [
  {
    value: View.Evolution,
    label: 'Evolution',
    icon: 'gf-interpolation-smooth',
    description: 'How clusters were born, grew, merged, split and ended',
  },
  { value: View.Now, label: 'Now', icon: 'apps', description: 'What is live now, as large as it has alerts firing' },
  { value: View.Table, label: 'Table', icon: 'table', description: 'What is live now, as a table' },
];
/** Below, a panel has room for the picture alone. */
const LEAST_FOR_HEADER = 150;
const LEAST_FOR_LEGEND = 260;
const NARROW = 620;

export function EvolutionPanel(props: PanelProps<Options>) {
  const { id, data, options, fieldConfig, width, height, timeRange, timeZone, replaceVariables, onOptionsChange } =
    props;
  const styles = useStyles2(getStyles);
  const theme = useTheme2();
  const drawing = useMemo(() => drawingTheme(theme), [theme]);
  const reducedMotion = useReducedMotion(options.motion);
  const [hover, setHover] = useState<Hover | null>(null);
  const [opened, setOpened] = useState<number | null>(null);
  const range = drawnRange(timeRange);
  const live = isLive(timeRange);
  const feed = useFeed(data, range);
  const { model, version } = feed;

  const mappings = JSON.stringify(severityField(data.series)?.config.mappings ?? []);
  // Frames come many times a second; what an editor set for the field changes seldom.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const mapped = useMemo(() => mappedSeverityColor(severityField(data.series), theme), [mappings, theme]);
  // Made anew only when what it depends on changed: the canvas draws all again then.
  const look = useMemo(
    () => lookFor(options, drawing, theme, () => model.severityOrder, mapped),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [options.colorBy, options.colorLabel, options.showLabel, options.label, drawing, theme, model, mapped]
  );
  const formatTime = useMemo(() => axisTime(timeZone), [timeZone]);
  const clock = useCallback((ms: number) => dateTimeFormat(ms, { timeZone, format: 'HH:mm' }), [timeZone]);
  const exact = useCallback((ms: number) => dateTimeFormat(ms, { timeZone, format: 'HH:mm:ss' }), [timeZone]);
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const situation = useMemo(() => situationOf(model, clock), [model, version, clock]);
  const { colorBy, colorLabel } = options;
  const legend = useMemo(
    () => legendItems(model.live(), look, { colorBy, colorLabel }, model.severityOrder),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [model, version, look, colorBy, colorLabel]
  );
  const onSelect = useCallback((cluster: number | null) => setOpened(cluster), []);
  const spoken = (cluster: number) => {
    const told = model.clusters.get(cluster);
    return told
      ? `${visible(told.title, { limit: 160 })}: ${told.severity || 'no severity'}, ${[`${count(told.firing)} of ${count(told.size)} alerts firing`, ...heldBackWords(told), told.state, quietWords(told, clock)].filter(Boolean).join(', ')}`
      : '';
  };

  if (!feed.known && data.state !== LoadingState.Loading && data.state !== LoadingState.NotStarted) {
    return (
      <PanelDataErrorView
        panelId={id}
        fieldConfig={fieldConfig}
        data={data}
        message="This panel shows the frames of a Stormcell data source: choose one, with the query type Evolution."
      />
    );
  }
  const hovered = hover && model.clusters.get(hover.id);
  const withHeader = height >= LEAST_FOR_HEADER;
  return (
    <div className={styles.panel} style={{ width, height }} data-testid={testIds.panel}>
      {withHeader && (
        <div className={styles.header}>
          <SituationLine situation={situation} />
          <div className={styles.tools}>
            <ConnectionMark connection={feed.connection} loading={feed.loading} live={live} time={exact} />
            <RadioButtonGroup
              size="sm"
              aria-label="View"
              options={VIEWS.map(({ icon, label, ...view }) => ({
                ...view,
                label: width < NARROW ? '' : label,
                icon,
                ariaLabel: label,
              }))}
              value={options.view}
              onChange={(view) => onOptionsChange({ ...options, view })}
            />
          </div>
        </div>
      )}
      <div className={styles.body}>
        {options.view === View.Table ? (
          <ClusterTable model={model} look={look} time={clock} onOpen={onSelect} />
        ) : (
          <CanvasHost
            kind={options.view}
            selected={opened}
            lanes={options.lanes}
            theme={drawing}
            onHover={setHover}
            {...{ model, version, range, look, reducedMotion, formatTime, onSelect, spoken }}
          />
        )}
      </div>
      {options.legend && height >= LEAST_FOR_LEGEND && <Legend items={legend} />}
      {hover && hovered && opened === null && (
        <ClusterTooltip
          cluster={hovered}
          links={clusterLinks(data.series, hover.id)}
          position={hover}
          time={clock}
          {...{ model, look }}
        />
      )}
      {opened !== null && (
        <ClusterDrawer
          id={opened}
          api={feed.api}
          links={clusterLinks(data.series, opened)}
          alertmanagerUrl={replaceVariables(options.alertmanagerUrl)}
          onOpen={setOpened}
          onClose={() => setOpened(null)}
          {...{ model, look, timeZone }}
        />
      )}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  panel: css({ display: 'flex', flexDirection: 'column', overflow: 'hidden' }),
  header: css({
    display: 'flex',
    alignItems: 'center',
    justifyContent: 'space-between',
    gap: theme.spacing(2),
    padding: theme.spacing(0.5, 1),
  }),
  tools: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(1.5), flex: 'none' }),
  body: css({ flex: 1, minHeight: 0, position: 'relative', '& + ul': { padding: theme.spacing(0.5, 1) } }),
});
