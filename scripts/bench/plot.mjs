// Line charts as SVG: two axes, a few series, no dependency.

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [720, 400, 80, 20, 44, 92];
const COLOURS = ["#1f5fa8", "#c2502e", "#3b8a57", "#7a5195"];

/**
 * @param chart `{ title, x, y, series: [{ name, points: [[x, y], …] }], logX?, logY? }`; `x` and `y` name the axes
 * @returns the SVG's text
 */
export function lineChart({ title, x, y, series, logX = false, logY = false }) {
  const points = series.flatMap((one) => one.points);
  const xs = scale(points.map(([value]) => value), LEFT, WIDTH - RIGHT, logX);
  const ys = scale(points.map(([, value]) => value), HEIGHT - BOTTOM, TOP, logY);
  const body = [
    text(WIDTH / 2, 24, title, "middle", 15),
    ...xs.ticks.flatMap((tick) => [line(xs.at(tick), TOP, xs.at(tick), HEIGHT - BOTTOM), text(xs.at(tick), HEIGHT - BOTTOM + 18, label(tick), "middle")]),
    ...ys.ticks.flatMap((tick) => [line(LEFT, ys.at(tick), WIDTH - RIGHT, ys.at(tick)), text(LEFT - 8, ys.at(tick) + 4, label(tick), "end")]),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 38, x, "middle"),
    `<text transform="translate(18 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escape(y)}</text>`,
    ...series.flatMap(({ name, points: own }, index) => {
      const colour = COLOURS[index % COLOURS.length];
      const path = own.map(([px, py], at) => `${at === 0 ? "M" : "L"}${xs.at(px).toFixed(1)} ${ys.at(py).toFixed(1)}`).join("");
      const legend = LEFT + (index % 2) * 320;
      const row = HEIGHT - 32 + Math.floor(index / 2) * 18;
      const dots = own.length > 40 ? [] : own.map(([px, py]) => `<circle cx="${xs.at(px).toFixed(1)}" cy="${ys.at(py).toFixed(1)}" r="3" fill="${colour}"/>`);
      return [`<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`, ...dots, `<rect x="${legend}" y="${row - 10}" width="14" height="10" fill="${colour}"/>`, text(legend + 20, row, name, "start")];
    }),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#222">\n<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>\n${body.join("\n")}\n</svg>\n`;
}

function scale(values, from, to, isLog) {
  const top = Math.max(...values);
  if (isLog) {
    const [low, high] = [Math.floor(Math.log10(Math.min(...values.filter((value) => value > 0)))), Math.max(1, Math.ceil(Math.log10(top)))];
    const at = (value) => from + ((Math.log10(Math.max(value, 10 ** low)) - low) / (high - low || 1)) * (to - from);
    return { at, ticks: Array.from({ length: high - low + 1 }, (_, n) => 10 ** (low + n)) };
  }
  const rough = top / 5 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough;
  const end = Math.ceil(top / step) * step || 1;
  return { at: (value) => from + (value / end) * (to - from), ticks: Array.from({ length: Math.round(end / step) + 1 }, (_, n) => n * step) };
}

const label = (value) => Number(value.toPrecision(6)).toLocaleString("en");
const escape = (value) => value.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const line = (x1, y1, x2, y2) => `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="#ddd"/>`;
const text = (x, y, value, anchor, size = 12) => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" font-size="${size}">${escape(value)}</text>`;
