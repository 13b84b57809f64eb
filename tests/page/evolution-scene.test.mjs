import assert from "node:assert/strict";
import { test } from "node:test";

import { calmMessage, describe, metrics, spansOf, stormLabels } from "../../receiver/page/evolution-scene.js";

test("the areas tile the height at any size, and rows never fall below 14 px", () => {
  for (const [width, height] of [[1280, 640], [360, 640], [600, 260], [300, 120], [3840, 2000]]) {
    const frame = metrics({ width, height }, true);
    assert.ok(frame.top < frame.bottom && frame.bottom < frame.axisTop && frame.axisTop < height);
    for (const more of [false, true]) {
      const capacity = frame.capacity(more);
      assert.ok(capacity >= 1);
      const { heights } = frame.rows(new Array(capacity).fill(100), capacity, 100, more);
      const sum = heights.reduce((a, b) => a + b, 0);
      if (capacity > 1) assert.ok(Math.min(...heights) >= 14 && sum <= frame.bottom - frame.top, `${height}: ${sum}`);
    }
  }
});

test("a small view goes without the strip, a narrow one has a narrow gutter", () => {
  assert.equal(metrics({ width: 900, height: 150 }, true).strip, null);
  assert.ok(metrics({ width: 360, height: 600 }, true).gutter < metrics({ width: 900, height: 600 }, true).gutter);
});

test("lanes outside of the range are left out, the selected and the pinned are kept", () => {
  const lane = (id, bornAt, endedAt = null) => [id, { id, bornAt, endedAt, samples: [] }];
  const model = {
    lanes: new Map([lane(1, 0, 50), lane(2, 0, 150), lane(3, 120), lane(4, 300), lane(5, 110)]),
    clusters: new Map([1, 2, 3, 4].map((id) => [id, { id, severity: "critical", firing: id, pinned: id === 3 }])),
    severityRank: () => 2,
  };
  const lanes = describe(model, { fromMs: 100, toMs: 200 }, 2);

  assert.deepEqual(lanes.map((l) => [l.id, l.kept]), [[2, true], [3, true]]);
});

test("a storm that goes on is told in alerts, for its rate stands elsewhere; one that ended by its peak", () => {
  const storm = { episodes: 249, intensity: 12, peak_intensity: 61 };

  assert.deepEqual(stormLabels(storm, null), ["Storm: 249 alerts so far", "Storm"]);
  assert.equal(stormLabels(storm, 5)[0], "Storm: 249 alerts, at its peak 61 times as many as normal");
});

test("an empty picture does not call well what is silent or suppressed", () => {
  const message = (stats, live) => calmMessage({ stats, live: () => live, windowSeconds: 600 }, true, 600).text;

  assert.equal(message(null, []), "Nothing is firing.");
  assert.equal(message({ source_quiet_at: "2026-01-01T00:00:00Z" }, []), "Nothing is told to fire.");
  assert.equal(message(null, [{ suppressed: 2 }]), "All that fires is suppressed.");
});

test("a lane is drawn in the severity of its time, and in the first that is known before", () => {
  const look = { styleOf: ({ severity }) => severity };
  const styles = (severities) => spansOf({ severities }, { severity: "now" }, look).map(({ fromMs, toMs, style }) => [fromMs, toMs, style]);

  assert.deepEqual(styles([[5, "critical"], [9, "warning"]]), [[-Infinity, 9, "critical"], [9, Infinity, "warning"]]);
  assert.deepEqual(styles([]), [[-Infinity, Infinity, "now"]]);
});
