import { css } from '@emotion/css';
import { type GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { type DrawingTheme } from '@page/evolution-theme.js';
import { EvolutionView } from '@page/evolution.js';
import { type EvolutionModel, type Look } from '@page/model.js';
import React, { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { NowView } from './now/NowView';
import { rangeKey } from './range';
import { testIds } from './testIds';
import { View } from './types';
import { type CanvasView, type DrawnRange, type HoverPlace } from './view';

/** A cluster under the pointer or the keyboard, and where: CSS px of the window. */
export interface Hover {
  id: number;
  x: number;
  y: number;
}

interface Props {
  kind: View.Evolution | View.Now;
  model: EvolutionModel;
  /** Changes with each change of the model: looks at it again. */
  version: number;
  range: DrawnRange;
  theme: DrawingTheme;
  look: Look;
  reducedMotion: boolean;
  lanes: number;
  selected: number | null;
  formatTime: (ms: number, stepMs: number) => string;
  onSelect: (id: number | null) => void;
  onHover: (hover: Hover | null) => void;
  /** What a reader is told of the lane the keyboard is on. */
  spoken: (id: number) => string;
}

/** One of the two canvases in an element of its own, one stop of the keyboard: arrows walk, Enter opens. */
export function CanvasHost(props: Props) {
  const { kind, model, version, range, theme, look, reducedMotion, lanes, selected, formatTime } = props;
  const styles = useStyles2(getStyles);
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<CanvasView | null>(null);
  const latest = useRef(props);
  const [words, setWords] = useState('');
  useLayoutEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    const element = host.current!;
    const created = create(kind, element, {
      theme: latest.current.theme,
      reducedMotion: latest.current.reducedMotion,
      onSelect: (id) => latest.current.onSelect(id),
      onHover: (id, at) => {
        const box = element.getBoundingClientRect();
        latest.current.onHover(id === null ? null : { id, x: box.left + at.x, y: box.top + at.y });
      },
    });
    view.current = created;
    return () => {
      created.destroy();
      latest.current.onHover(null);
    };
  }, [kind]);

  const drawn = rangeKey(range);
  useEffect(() => view.current?.setTheme(theme), [kind, theme]);
  useEffect(
    () => view.current?.setOptions({ look, reducedMotion, mostRows: lanes || Infinity, formatTime }),
    [kind, look, reducedMotion, lanes, formatTime]
  );
  useEffect(() => view.current?.setModel(model), [kind, model]);
  // eslint-disable-next-line react-hooks/exhaustive-deps
  useEffect(() => view.current?.setRange(range), [kind, drawn]);
  useEffect(() => view.current?.select(selected), [kind, selected]);
  useEffect(() => view.current?.invalidate(), [version]);

  const onKeyDown = (event: KeyboardEvent) => {
    const current = view.current;
    if (!current || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step) {
      const id = current.moveFocus(step);
      setWords(id === null ? 'No cluster' : props.spoken(id));
    } else if (event.key === 'Enter' && current.focused !== null) {
      props.onSelect(current.focused);
    } else if (event.key === 'Escape') {
      current.blur();
      props.onHover(null);
    } else {
      return;
    }
    event.preventDefault();
  };
  return (
    <>
      <div
        ref={host}
        className={styles.host}
        role="group"
        tabIndex={0}
        aria-label={
          kind === View.Now
            ? 'Live clusters. Arrow keys walk, Enter opens.'
            : 'Evolution of clusters. Arrow keys walk from lane to lane, Enter opens.'
        }
        data-testid={testIds.canvas}
        onKeyDown={onKeyDown}
        onBlur={() => {
          view.current?.blur();
          props.onHover(null);
        }}
      />
      <div className={styles.spoken} aria-live="polite">
        {words}
      </div>
    </>
  );
}

interface ViewOptions {
  theme: DrawingTheme;
  reducedMotion: boolean;
  onSelect: (id: number | null) => void;
  onHover: (id: number | null, at: HoverPlace) => void;
}

function create(kind: View.Evolution | View.Now, host: HTMLElement, options: ViewOptions): CanvasView {
  return kind === View.Now ? new NowView(host, { ...options, look: {} }) : new EvolutionView(host, options);
}

const getStyles = (theme: GrafanaTheme2) => ({
  host: css({
    position: 'relative',
    width: '100%',
    height: '100%',
    overflow: 'hidden',
    '&:focus-visible': { outline: `2px solid ${theme.colors.primary.border}`, outlineOffset: -2 },
  }),
  spoken: css({
    position: 'absolute',
    width: 1,
    height: 1,
    overflow: 'hidden',
    clipPath: 'inset(50%)',
    whiteSpace: 'nowrap',
  }),
});
