import React from 'react';
import { type SeverityStyle } from '@page/evolution-theme.js';

interface Props {
  style: SeverityStyle;
  size?: number;
}

/** A severity's sign, by the same shapes as on the canvas: diamond, triangle, disc, ring, square. */
export function SeverityIcon({ style, size = 12 }: Props) {
  const { look, color } = style;
  return (
    <svg width={size} height={size} viewBox="0 0 12 12" aria-hidden="true" focusable="false" style={{ flex: 'none' }}>
      {look === 'critical' && <polygon points="6,0 12,6 6,12 0,6" fill={color} />}
      {look === 'warning' && <polygon points="6,0.5 12,11.5 0,11.5" fill={color} />}
      {look === 'other' && <rect x="1" y="1" width="10" height="10" fill={color} />}
      {look === 'info' && <circle cx="6" cy="6" r="5" fill={color} />}
      {look === 'none' && <circle cx="6" cy="6" r="4" fill="none" stroke={color} strokeWidth="2" />}
    </svg>
  );
}
