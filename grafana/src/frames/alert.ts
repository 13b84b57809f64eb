/** What the receiver tells of an alert wherever it does; drawer and queries each read more of it. */
export interface ToldAlert {
  fingerprint: string;
  state: string;
  severity: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  endsAt: string | null;
  /** How its end is known: told, lapsed, gone; null until it is resolved. */
  ending: string | null;
  generatorURL: string;
}
