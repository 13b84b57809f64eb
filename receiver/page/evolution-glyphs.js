/** Small signs drawn by path: no font has to have them, and they are crisp at any size. */

/** A sign per look of severity, told apart by shape: diamond, square, triangle, disc, ring. */
export function severitySign(context, look, x, y, size, color) {
  const r = size / 2;
  const c = r * 0.85;
  context.beginPath();
  if (look === "critical") polygon(context, [[x, y - r], [x + r, y], [x, y + r], [x - r, y]]);
  else if (look === "other") polygon(context, [[x - c, y - c], [x + c, y - c], [x + c, y + c], [x - c, y + c]]);
  else if (look === "warning") polygon(context, [[x, y - r], [x + r, y + r * 0.85], [x - r, y + r * 0.85]]);
  else context.arc(x, y, r * (look === "none" ? 0.7 : 0.8), 0, Math.PI * 2);
  if (look === "none") {
    context.strokeStyle = color;
    context.lineWidth = 1.4;
    context.stroke();
  } else {
    context.fillStyle = color;
    context.fill();
  }
}

/** An arrow head: up for growing, down for resolving. */
export function trendSign(context, state, x, y, size, color) {
  const direction = { growing: -1, resolving: 1 }[state];
  if (!direction) return;
  const r = size / 2;
  context.beginPath();
  polygon(context, [[x - r, y - direction * r * 0.6], [x + r, y - direction * r * 0.6], [x, y + direction * r * 0.8]]);
  context.fillStyle = color;
  context.fill();
}

const MARKS = {
  acked(context, x, y, r) {
    context.moveTo(x - r * 0.9, y + r * 0.05);
    context.lineTo(x - r * 0.25, y + r * 0.7);
    context.lineTo(x + r * 0.9, y - r * 0.7);
  },
  pinned(context, x, y, r) {
    context.arc(x + r * 0.3, y - r * 0.4, r * 0.55, 0, Math.PI * 2);
    context.moveTo(x - r * 0.1, y);
    context.lineTo(x - r * 0.85, y + r * 0.95);
  },
  recurring(context, x, y, r) {
    context.arc(x, y, r * 0.75, -Math.PI * 0.35, Math.PI * 1.3);
    context.moveTo(x + r * 0.42, y - r * 1.1);
    context.lineTo(x + r * 0.36, y - r * 0.62);
    context.lineTo(x + r * 0.92, y - r * 0.5);
  },
};

/** A mark by its name ("acked", "pinned", "recurring"), stroked twice: a halo keeps it readable on a ribbon. */
export function mark(context, name, x, y, size, color, halo) {
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const [style, width] of [[halo, 4], [color, 1.6]]) {
    context.beginPath();
    MARKS[name](context, x, y, size / 2);
    context.strokeStyle = style;
    context.lineWidth = width;
    context.stroke();
  }
}

/** A tick in a circle: all is well. */
export function calmSign(context, x, y, size, color) {
  const r = size / 2;
  context.lineCap = "round";
  context.lineJoin = "round";
  context.lineWidth = 1.8;
  context.strokeStyle = color;
  context.beginPath();
  context.arc(x, y, r, 0, Math.PI * 2);
  context.stroke();
  context.beginPath();
  MARKS.acked(context, x, y + r * 0.03, r * 0.5);
  context.stroke();
}

/** The marks a cluster carries, in the order they are drawn. */
export function marksOf(cluster) {
  const marks = [];
  if (cluster.pinned) marks.push("pinned");
  if (cluster.acked_by) marks.push("acked");
  if (cluster.recurs) marks.push("recurring");
  return marks;
}

function polygon(context, points) {
  points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
}
