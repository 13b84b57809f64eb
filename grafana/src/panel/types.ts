/** The panel's options, as they are kept in a dashboard. A change of shape needs a line in migration.ts. */

export enum View {
  Evolution = 'evolution',
  Now = 'now',
  Table = 'table',
}

export enum ColorBy {
  Severity = 'severity',
  State = 'state',
  Label = 'label',
}

export enum ShowLabel {
  Title = 'title',
  Label = 'label',
}

export enum Motion {
  /** As the operating system asks for. */
  System = 'system',
  Reduced = 'reduced',
}

export interface Options {
  view: View;
  /** At most so many lanes; 0 for as many as there is room for. */
  lanes: number;
  colorBy: ColorBy;
  /** With ColorBy.Label. */
  colorLabel: string;
  showLabel: ShowLabel;
  /** With ShowLabel.Label. */
  label: string;
  legend: boolean;
  motion: Motion;
  /** Where the form for a new silence is; empty: only the command is offered. */
  alertmanagerUrl: string;
}

export const DEFAULTS: Options = {
  view: View.Evolution,
  lanes: 0,
  colorBy: ColorBy.Severity,
  colorLabel: 'service',
  showLabel: ShowLabel.Title,
  label: 'service',
  legend: true,
  motion: Motion.System,
  alertmanagerUrl: '',
};
