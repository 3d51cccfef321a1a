import { exponent, type Series } from "./fit";

const WIDTH = 400;
const HEIGHT = 300;
const MARGIN = { left: 62, top: 40, bottom: 44 };
const GAP = 28;
const LINE = 19;
/** Okabe and Ito's, which colour-blind people tell apart, without the yellow: on white and on black. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8a6fd1"];

/** `10^from` to `10^to`. */
interface Decades {
  from: number;
  to: number;
}

/** CPU seconds by size, both on logarithmic scales, one panel for each axis; readable on light and on dark pages. */
export function plot(all: Series[], caption: string): string {
  const axes = [...new Set(all.map(({ axis }) => axis))];
  const panels = axes.map((axis) => all.filter((series) => series.axis === axis));
  const legend = Math.max(...panels.map((series) => series.length)) * LINE;
  const [width, height] = [
    axes.length * (MARGIN.left + WIDTH + GAP),
    MARGIN.top + HEIGHT + MARGIN.bottom + legend + 30,
  ];
  const drawn = panels.map((series, index) => {
    return `<g transform="translate(${index * (MARGIN.left + WIDTH + GAP) + MARGIN.left},${MARGIN.top})">${panel(series)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="14" role="img">
<title>CPU seconds of each step by identities, patterns and hosts</title>
<style>.page{fill:#fff}.ink{fill:#1f2328}.grid{stroke:#d0d7de}.linear{stroke:#59636e;stroke-dasharray:5 5}
@media (prefers-color-scheme:dark){.page{fill:#0d1117}.ink{fill:#e6edf3}.grid{stroke:#3d444d}.linear{stroke:#9198a1}}</style>
<rect class="page" width="${width}" height="${height}"/>
${drawn.join("\n")}
<text class="ink" x="${MARGIN.left}" y="${height - 10}" font-size="12">${escaped(caption)}</text>
</svg>
`;
}

function panel(series: Series[]): string {
  const points = series.flatMap((one) => one.points).filter(({ cpu }) => cpu > 0);
  const across = decades(points.map(({ n }) => n));
  const up = decades(points.map(({ cpu }) => cpu));
  const x = (n: number) => (WIDTH * (Math.log10(n) - across.from)) / (across.to - across.from);
  const y = (cpu: number) => HEIGHT - (HEIGHT * (Math.log10(cpu) - up.from)) / (up.to - up.from);
  const ticks = ({ from, to }: Decades) => Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
  return [
    `<text class="ink" x="0" y="-16" font-weight="bold">CPU seconds by ${series[0]?.axis}</text>`,
    ...ticks(across).map((n) => grid(x(n), 0, x(n), HEIGHT) + text(x(n), HEIGHT + 20, shown(n), "middle")),
    ...ticks(up).map((cpu) => grid(0, y(cpu), WIDTH, y(cpu)) + text(-8, y(cpu) + 5, shown(cpu), "end")),
    linear(across, up, x, y),
    ...series.map((one, index) => curve(one, COLOURS[index % COLOURS.length] as string, x, y)),
    ...series.map((one, index) =>
      label(one, COLOURS[index % COLOURS.length] as string, HEIGHT + MARGIN.bottom + index * LINE),
    ),
  ].join("\n");
}

function decades(values: number[]): Decades {
  const from = Math.floor(Math.log10(Math.min(...values)) + 1e-9);
  return { from, to: Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9)) };
}

const shown = (value: number) => (value < 1000 ? String(Number(value.toPrecision(1))) : value.toLocaleString("en"));
const text = (x: number, y: number, words: string, anchor: string) =>
  `<text class="ink" x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${words}</text>`;
const grid = (x1: number, y1: number, x2: number, y2: number) =>
  `<line class="grid" x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}"/>`;

type Scale = (value: number) => number;

/** What is twice as much for twice the size rises like this. */
function linear(across: Decades, up: Decades, x: Scale, y: Scale): string {
  const rise = Math.min(across.to - across.from, up.to - up.from);
  const end = `x2="${x(10 ** (across.from + rise)).toFixed(1)}" y2="${y(10 ** (up.from + rise)).toFixed(1)}"`;
  return `<line class="linear" x1="0" y1="${HEIGHT}" ${end}/>`;
}

function curve({ points }: Series, colour: string, x: Scale, y: Scale): string {
  const at = points.filter(({ cpu }) => cpu > 0).map(({ n, cpu }) => [x(n).toFixed(1), y(cpu).toFixed(1)] as const);
  const dots = at.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${colour}"/>`).join("");
  return `<polyline points="${at.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>${dots}`;
}

function label(series: Series, colour: string, y: number): string {
  const k = exponent(series);
  const words = `${series.step}: ${k === undefined ? "no growth" : `n^${k.toFixed(2)}`}`;
  return `<rect x="0" y="${y - 4}" width="22" height="4" fill="${colour}"/>${text(30, y + 3, escaped(words), "start")}`;
}

const escaped = (words: string) => words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
