// Draws the text of a terminal, with its colours (SGR), as an SVG that is readable on light and dark pages: a window of
// its own ground. Only what this program prints is understood: bold, dim and the sixteen colours.
const COLOURS = ["#484f58", "#ff7b72", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#76e3ea", "#c9d1d9"];
const BRIGHT = ["#6e7681", "#ffa198", "#7ee787", "#f2cc60", "#a5d6ff", "#e2c5ff", "#b3f0ff", "#ffffff"];
const TEXT = "#d1d7e0";
const GROUND = "#151b23";
const BORDER = "#3d444d";
const CELL = 8.4;
const LINE = 19;
const PAD = 18;
const BAR = 34;

/** @returns the runs of one line: text with its style */
function runsOf(line) {
  const runs = [];
  let style = {};
  for (const part of line.split(/(\u001b\[[\d;]*m)/)) {
    const codes = /^\u001b\[([\d;]*)m$/.exec(part)?.[1];
    if (codes === undefined) {
      if (part !== "") runs.push({ text: part, style });
      continue;
    }
    for (const code of (codes || "0").split(";").map(Number)) style = applied(style, code);
  }
  return runs;
}

function applied(style, code) {
  if (code === 0) return {};
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, dim: true };
  if (code === 22) return { ...style, bold: false, dim: false };
  if (code === 39) return { ...style, colour: undefined };
  if (code >= 30 && code <= 37) return { ...style, colour: COLOURS[code - 30] };
  if (code >= 90 && code <= 97) return { ...style, colour: BRIGHT[code - 90] };
  return style;
}

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** `columns` is the width of the terminal; `screen` its lines, with escapes. */
export function toSvg({ command, screen, columns, title }) {
  const lines = [`\u001b[32m$\u001b[0m \u001b[1m${command}\u001b[0m`, ...screen.split("\n")];
  const width = Math.ceil(columns * CELL + 2 * PAD);
  const height = lines.length * LINE + BAR + PAD;
  const drawn = lines.map((line, row) => {
    let column = 0;
    const spans = runsOf(line).map(({ text, style }) => {
      const attributes = [
        `x="${(PAD + column * CELL).toFixed(1)}"`,
        // Every viewer has another font: this keeps the columns where they are.
        `textLength="${([...text].length * CELL).toFixed(1)}"`,
        ...(style.colour === undefined ? [] : [`fill="${style.colour}"`]),
        ...(style.bold ? ['font-weight="bold"'] : []),
        ...(style.dim ? ['opacity="0.65"'] : []),
      ];
      column += [...text].length;
      return `<tspan ${attributes.join(" ")}>${escape(text)}</tspan>`;
    });
    return spans.length === 0 ? "" : `<text y="${BAR + 14 + row * LINE}">${spans.join("")}</text>\n`;
  });
  const dots = ["#ff5f57", "#febc2e", "#28c840"].map((fill, at) => `<circle cx="${PAD + 4 + at * 18}" cy="17" r="5.5" fill="${fill}"/>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escape(title)}</title>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="9" fill="${GROUND}" stroke="${BORDER}"/>
${dots.join("")}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="${TEXT}" xml:space="preserve" style="white-space: pre">
${drawn.join("")}</g>
</svg>
`;
}
