import { FieldColorModeId, FieldConfigProperty, PanelPlugin } from '@grafana/data';
import { EvolutionPanel } from './EvolutionPanel';
import { migrate } from './migration';
import { screenshot } from './screenshot';
import { suggest } from './suggestions';
import { ColorBy, DEFAULTS, Motion, ShowLabel, View, type Options } from './types';

export const plugin = new PanelPlugin<Options>(EvolutionPanel)
  .setNoPadding()
  .setMigrationHandler(
    (panel) => migrate(panel.options),
    ({ options }) => JSON.stringify(options) !== JSON.stringify(migrate(options))
  )
  .setSuggestionsSupplier(suggest)
  .setScreenshotImage(screenshot)
  .useFieldConfig({
    // Links on the title open from tooltip and drawer; mappings of the severity give it other colours.
    disableStandardOptions: [
      FieldConfigProperty.Thresholds,
      FieldConfigProperty.Min,
      FieldConfigProperty.Max,
      FieldConfigProperty.Decimals,
      FieldConfigProperty.Unit,
    ],
    standardOptions: { [FieldConfigProperty.Color]: { defaultValue: { mode: FieldColorModeId.PaletteClassicByName } } },
  })
  .setPanelOptions((builder) =>
    builder
      .addRadio({
        path: 'view',
        name: 'View',
        description: 'Viewers can change it for themselves.',
        defaultValue: DEFAULTS.view,
        settings: {
          options: [
            { value: View.Evolution, label: 'Evolution' },
            { value: View.Now, label: 'Now' },
            { value: View.Table, label: 'Table' },
          ],
        },
      })
      .addNumberInput({
        path: 'lanes',
        name: 'Lanes',
        description: 'At most so many; the rest is summed up in a line. Empty or 0: as many as there is room for.',
        defaultValue: DEFAULTS.lanes,
        settings: { min: 0, max: 500, integer: true, placeholder: 'as many as fit' },
        showIf: ({ view }) => view === View.Evolution,
      })
      .addSelect({
        path: 'colorBy',
        name: 'Color by',
        description: 'Sign and pattern tell the severity in any case.',
        defaultValue: DEFAULTS.colorBy,
        settings: {
          options: [
            { value: ColorBy.Severity, label: 'Severity' },
            { value: ColorBy.State, label: 'State' },
            { value: ColorBy.Label, label: 'A label' },
          ],
        },
      })
      .addTextInput({
        path: 'colorLabel',
        name: 'Label for the color',
        description:
          'The value all members share, else the one most have. The receiver tells team, service and namespace.',
        defaultValue: DEFAULTS.colorLabel,
        showIf: ({ colorBy }) => colorBy === ColorBy.Label,
      })
      .addRadio({
        path: 'showLabel',
        name: 'Name clusters by',
        defaultValue: DEFAULTS.showLabel,
        settings: {
          options: [
            { value: ShowLabel.Title, label: 'Title' },
            { value: ShowLabel.Label, label: 'A label' },
          ],
        },
      })
      .addTextInput({
        path: 'label',
        name: 'Label to name by',
        description: 'Clusters without it are named by their title.',
        defaultValue: DEFAULTS.label,
        showIf: ({ showLabel }) => showLabel === ShowLabel.Label,
      })
      .addBooleanSwitch({ path: 'legend', name: 'Legend', defaultValue: DEFAULTS.legend })
      .addRadio({
        path: 'motion',
        name: 'Motion',
        description: 'Rows glide to their places unless the operating system asks for less motion.',
        defaultValue: DEFAULTS.motion,
        settings: {
          options: [
            { value: Motion.System, label: 'As the system' },
            { value: Motion.Reduced, label: 'Reduced' },
          ],
        },
      })
      .addTextInput({
        path: 'alertmanagerUrl',
        name: 'Alertmanager',
        description:
          'Its address as browsers reach it. With it the drawer opens a filled-in form for a silence; without, it gives the amtool command.',
        defaultValue: DEFAULTS.alertmanagerUrl,
        settings: { placeholder: 'https://alertmanager.example' },
      })
  );
