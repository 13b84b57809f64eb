// Hosts the built plugin as Grafana's page does, as far as a plugin can tell: modules over SystemJS, services of
// @grafana/runtime, a panel in its chrome, editors in a form.
//
// Left out: PanelQueryRunner and scenes (queries are run and responses merged as runRequest does, by key), templating
// beyond $name, saving, routing.

import { createElement, StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import {
  applyFieldOverrides, createTheme, dateMath, dateTime, DataSourcePluginContextProvider, EventBusSrv, FieldConfigProperty,
  LoadingState, PluginContextProvider, standardEditorsRegistry, standardFieldConfigEditorRegistry, ThemeContext,
} from '@grafana/data'; // prettier-ignore
import * as runtime from '@grafana/runtime';
import { GlobalStyles, PanelChrome, PortalContainer } from '@grafana/ui';
import { Observable } from 'rxjs';

const shared = window.stormcellShared;
const PLUGINS = 'public/plugins/stormcell-app';
const UID = 'stormcell';
const query = new URLSearchParams(location.search);
const theme = createTheme({ colors: { mode: query.get('theme') === 'light' ? 'light' : 'dark' } });

// --- modules

for (const [name, module] of Object.entries(shared)) {
  System.set(`package:${name}`, { default: module, ...module, __useDefault: true });
}
const imports = Object.fromEntries(Object.keys(shared).map((name) => [name, `package:${name}`]));
System.addImportMap({ imports });

const moduleOf = async (name) => {
  const module = await System.import(new URL(`${PLUGINS}/${name}module.js`, document.baseURI).href);
  return (module.plugin ? module : module.default).plugin;
};
const metaOf = async (name) => (await fetch(new URL(`${PLUGINS}/${name}plugin.json`, document.baseURI))).json();

// --- services

/** As backendSrv: a leading slash is dropped, so that paths are below <base>; errors are FetchErrors. */
const backendSrv = {
  fetch: (options) =>
    new Observable((observer) => {
      const controller = new AbortController();
      void (async () => {
        try {
          const url = withParams(options.url.replace(/^\//, ''), options.params);
          const response = await fetch(url, { method: options.method ?? 'GET', signal: controller.signal });
          const text = await response.text();
          const data = parsed(text);
          if (!response.ok) {
            throw {
              status: response.status,
              statusText: response.statusText,
              config: options,
              data: typeof data === 'string' ? { message: data, error: response.statusText, response: data } : data,
            };
          }
          observer.next({ data, status: response.status, ok: true, config: options, headers: response.headers, url });
          observer.complete();
        } catch (error) {
          observer.error(error);
        }
      })();
      return () => controller.abort();
    }),
  chunked: (options) =>
    new Observable((observer) => {
      const controller = new AbortController();
      void (async () => {
        try {
          const response = await fetch(options.url, { method: options.method ?? 'GET', signal: controller.signal });
          const base = {
            status: response.status,
            ok: response.ok,
            config: options,
            headers: response.headers,
            url: options.url,
          };
          if (!response.ok || !response.body) {
            observer.next({ ...base, data: undefined });
            return observer.complete();
          }
          const reader = response.body.getReader();
          for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read())
            observer.next({ ...base, data: chunk.value });
          observer.complete();
        } catch (error) {
          observer.error(error);
        }
      })();
      return () => controller.abort();
    }),
};

function withParams(url, params = {}) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, one);
  }
  return search.size ? `${url}?${search}` : url;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const variables = {};
const replace = (text = '', scoped = {}) =>
  text.replace(/\$\{?(\w+)\}?/g, (whole, name) => String(scoped[name]?.value ?? variables[name] ?? whole));

runtime.setBackendSrv(backendSrv);
runtime.setTemplateSrv({
  replace,
  getVariables: () => [],
  containsTemplate: (text) => /\$/.test(text ?? ''),
  updateTimeRange() {},
});
runtime.setPanelDataErrorView?.(({ message }) => <div role="alert">{message ?? 'No data'}</div>);

// --- plugins

standardEditorsRegistry.setInit(() =>
  [
    'number',
    'slider',
    'text',
    'select',
    'multi-select',
    'radio',
    'boolean',
    'strings',
    'color',
    'unit',
    'links',
    'mappings',
    'thresholds',
    'field-color',
    'field-name',
    'timezone',
    'stats-picker',
    'fieldName',
    'dashboard-uid',
  ].map((id) => ({ id, name: id, editor: () => null }))
);
standardFieldConfigEditorRegistry.setInit(
  () =>
  Object.values(FieldConfigProperty).map((id) => ({
    id, path: id, name: id, editor: () => null, override: () => null, process: (value) => value, settings: {}, shouldApply: () => true,
  })) // prettier-ignore
);

let dataSource;
let dataSourcePlugin;
let panel;
const settings = {
  uid: UID, id: 1, name: 'Stormcell', type: 'stormcell-datasource', access: 'proxy', readOnly: false, jsonData: {},
  url: `/api/datasources/proxy/uid/${UID}`,
}; // prettier-ignore

async function load() {
  // All three have to load, though the app's does nothing.
  const [, ofDataSource, ofPanel] = await Promise.all(['', 'datasource/', 'panel/'].map(moduleOf));
  const [, dataSourceMeta, panelMeta] = await Promise.all(['', 'datasource/', 'panel/'].map(metaOf));
  dataSourcePlugin = ofDataSource;
  panel = ofPanel;
  panel.meta = panelMeta;
  settings.meta = dataSourceMeta;
  dataSource = new dataSourcePlugin.DataSourceClass(settings);
  dataSource.meta = dataSourceMeta;
  const srv = {
    get: async () => dataSource,
    getList: () => [settings],
    getInstanceSettings: () => settings,
    reload() {},
    registerRuntimeDataSource() {},
  };
  runtime.setDataSourceSrv(srv);
}

// --- queries

const raw = (from, to) => ({
  from: dateMath.parse(from) ?? dateTime(from),
  to: dateMath.parse(to, true) ?? dateTime(to),
  raw: { from, to },
});

/** Runs queries and merges responses by key, as Grafana's runRequest. */
class Runner {
  constructor(onData) {
    this.onData = onData;
    this.subscription = null;
    this.requests = 0;
  }

  run({ targets, range, fieldConfig, intervalMs = 1000 }) {
    this.subscription?.unsubscribe();
    const timeRange = raw(range.from, range.to);
    const request = {
      requestId: `Q${(this.requests += 1)}`, app: 'dashboard', targets: targets.map((target, i) => ({ refId: String.fromCharCode(65 + i), datasource: { uid: UID, type: settings.type }, ...target })),
      range: timeRange, timezone: 'utc', interval: '1s', intervalMs, maxDataPoints: 1000, scopedVars: {}, startTime: Date.now(), panelId: 1,
    }; // prettier-ignore
    const packets = new Map();
    let state = LoadingState.Loading;
    this.subscription = dataSource.query(request).subscribe({
      next: (packet) => {
        packets.set(packet.key ?? 'A', packet);
        const all = [...packets.values()];
        state = all.some((one) => one.errors?.length && one.state === LoadingState.Error)
          ? LoadingState.Error
          : (packet.state ?? LoadingState.Done);
        const series = applyFieldOverrides({
          data: all.flatMap(({ data }) => data), fieldConfig, replaceVariables: replace, theme, timeZone: 'utc', fieldConfigRegistry: panel.fieldConfigRegistry,
        }); // prettier-ignore
        this.onData({ state, series, errors: all.flatMap(({ errors = [] }) => errors), timeRange, request });
      },
      error: (error) =>
        this.onData({
          state: LoadingState.Error,
          series: [],
          errors: [{ message: String(error) }],
          timeRange,
          request,
        }),
    });
  }

  stop() {
    this.subscription?.unsubscribe();
  }
}

// --- views

const MARGIN = 16;
const eventBus = new EventBusSrv();

function PanelHost({ shown, tell }) {
  const [data, setData] = useState({
    state: LoadingState.NotStarted,
    series: [],
    timeRange: raw(shown.range.from, shown.range.to),
  });
  const [options, setOptions] = useState(null);
  const [runner] = useState(() => new Runner(setData));
  const { width = innerWidth - 2 * MARGIN, height = 640 } = shown;
  const fieldConfig = { defaults: {}, overrides: [], ...shown.fieldConfig };
  useEffect(() => {
    tell({ refresh: () => runner.run({ ...shown, fieldConfig }), setOptions });
    runner.run({ ...shown, fieldConfig });
    return () => runner.stop();
  }, [shown.targets, shown.range.from, shown.range.to]);
  useEffect(() => {
    window.harness.data = data;
  }, [data]);
  const Panel = panel.panel;
  const errors = data.errors ?? [];
  return (
    <PanelChrome
      title={shown.title ?? 'Storm room'}
      width={width}
      height={height}
      padding={panel.noPadding ? 'none' : 'md'}
      loadingState={data.state}
      statusMessage={errors[0]?.message}
      statusMessageOnClick={() => {}}
    >
      {(innerWidth_, innerHeight_) => (
        <Panel
          id={1}
          data={data}
          timeRange={data.timeRange}
          timeZone="utc"
          options={{ ...panel.defaults, ...shown.options, ...options }}
          fieldConfig={fieldConfig}
          transparent={false}
          width={innerWidth_}
          height={innerHeight_}
          renderCounter={0}
          title="Storm room"
          eventBus={eventBus}
          replaceVariables={replace}
          onOptionsChange={setOptions}
          onFieldConfigChange={() => {}}
          onChangeTimeRange={({ from, to }) => {
            window.harness.askedRange = { from, to };
          }}
        />
      )}
    </PanelChrome>
  );
}

function EditorHost({ kind, shown, plugin }) {
  const [value, setValue] = useState(shown.value ?? { refId: 'A' });
  const [ran, setRan] = useState(0);
  useEffect(() => {
    window.harness.value = value;
    window.harness.ran = ran;
  }, [value, ran]);
  const { QueryEditor, ConfigEditor, QueryEditorHelp } = plugin.components;
  const props = { datasource: dataSource, query: value, onChange: setValue, onRunQuery: () => setRan((n) => n + 1) };
  switch (kind) {
    case 'config':
      return <ConfigEditor options={{ ...settings, secureJsonFields: {}, ...value }} onOptionsChange={setValue} />;
    case 'help':
      return <QueryEditorHelp datasource={dataSource} query={value} onClickExample={setValue} />;
    case 'annotation': {
      const Editor = dataSource.annotations.QueryEditor;
      const annotation = {
        name: 'Storms',
        enable: true,
        iconColor: 'red',
        target: { refId: 'Anno', ...dataSource.annotations.getDefaultQuery() },
        ...shown.annotation,
      };
      return <Editor {...props} annotation={annotation} onAnnotationChange={setValue} />;
    }
    case 'variable': {
      const Editor = dataSource.variables.editor;
      return <Editor {...props} />;
    }
    default:
      return <QueryEditor {...props} />;
  }
}

function Host({ shown, tell, plugin }) {
  return (
    <StrictMode>
      <ThemeContext.Provider value={theme}>
        <GlobalStyles />
        <div style={{ padding: MARGIN, minHeight: '100vh', background: theme.colors.background.canvas }}>
          {shown.kind === 'panel' ? (
            <PluginContextProvider meta={panel.meta}>
              <PanelHost key={shown.key} shown={shown} tell={tell} />
            </PluginContextProvider>
          ) : (
            <DataSourcePluginContextProvider instanceSettings={settings}>
              <div style={{ maxWidth: 1100, padding: MARGIN, background: theme.colors.background.primary }}>
                <EditorHost key={shown.key} kind={shown.kind} shown={shown} plugin={plugin} />
              </div>
            </DataSourcePluginContextProvider>
          )}
        </div>
        <PortalContainer />
      </ThemeContext.Provider>
    </StrictMode>
  );
}

// --- what scenarios use

const root = createRoot(document.getElementById('root'));
let shown = null;
let handles = {};

function render(next) {
  shown = next;
  root.render(createElement(Host, { shown, plugin: dataSourcePlugin, tell: (given) => (handles = given) }));
}

const harness = {
  ready: load(),
  /** What the panel was given last. */
  data: null,
  /** What an editor made of its query, and how often it asked to run it. */
  value: null,
  ran: 0,
  variables,
  get dataSource() {
    return dataSource;
  },
  get panel() {
    return panel;
  },
  /** @param {object} what kind: panel, query, config, help, annotation, variable */
  async show(what) {
    await harness.ready;
    const key = String(Math.random());
    const defaults = {
      kind: 'panel',
      targets: [{ queryType: 'evolution' }],
      range: { from: 'now-15m', to: 'now' },
      key,
    };
    render({ ...defaults, ...what });
  },
  /** Change what the shown panel is given: `options`, `range`, `height`…; it stays mounted. */
  change(what) {
    render({ ...shown, ...what });
  },
  /** As a press on the dashboard's refresh button. */
  refresh() {
    handles.refresh();
  },
  hide() {
    root.render(null);
  },
  /** The first complete answer to a query, as plain rows. */
  ask(target, range = { from: 'now-1h', to: 'now' }) {
    return new Promise((resolve) => {
      const request = {
        targets: [{ refId: 'A', ...target }],
        range: raw(range.from, range.to),
        intervalMs: 10_000,
        scopedVars: {},
      };
      const subscription = dataSource.query(request).subscribe((response) => {
        const frames = response.data.map((frame) => ({
          name: frame.name,
          notices: frame.meta?.notices ?? [],
          rows: Array.from({ length: frame.length }, (_, i) =>
            Object.fromEntries(frame.fields.map(({ name, values }) => [name, values[i]]))
          ),
        }));
        const waiting =
          response.state === LoadingState.Streaming && !(response.data[0]?.length || response.data[1]?.length);
        if (waiting) return;
        resolve({ state: response.state, frames, errors: response.errors ?? [] });
        setTimeout(() => subscription.unsubscribe());
      });
    });
  },
  test: () => dataSource.testDatasource(),
  /** State, rows by frame, and the connection, of what the panel was given last. */
  told() {
    const { state, series = [], errors = [] } = harness.data ?? {};
    const custom = series.find((frame) => frame.meta?.custom?.stormcell)?.meta.custom;
    return {
      state,
      errors: errors.map(({ message }) => message),
      rows: Object.fromEntries(series.map((frame) => [frame.name, frame.length])),
      connection: custom?.connection ?? null,
      epoch: custom?.epoch,
      seq: custom?.seq,
      storm: custom?.storm ?? null,
    };
  },
};
window.harness = harness;
