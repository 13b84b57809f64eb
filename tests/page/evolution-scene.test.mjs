import assert from "node:assert/strict";
import { test } from "node:test";

import { describe, metrics } from "../../receiver/page/evolution-scene.js";

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
