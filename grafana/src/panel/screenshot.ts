/** The panel's picture for Grafana's image export: its canvases over each other. */

import { type PanelScreenshotHandler } from '@grafana/data';

/** Null leaves it to Grafana, which takes the page as it is: for the table, that is right. */
export const screenshot: PanelScreenshotHandler = async ({ element, format }) => {
  const canvases = [...element.querySelectorAll('canvas')];
  if (!canvases.length) {
    return null;
  }
  const whole = element.ownerDocument.createElement('canvas');
  whole.width = canvases[0].width;
  whole.height = canvases[0].height;
  const context = whole.getContext('2d');
  for (const canvas of canvases) {
    context?.drawImage(canvas, 0, 0);
  }
  return new Promise((resolve) => whole.toBlob(resolve, `image/${format}`));
};
