/** The result as a picture: a panel for each measure that matters most, a bar in it for each server. SVG, no scripts. */
import type { Measure } from "./table.ts";
import { numberText, present } from "./table.ts";

/** What is shown, and what it is called there. */
const PANELS: readonly (readonly [id: string, title: string])[] = [
  ["udp-cost", "Query over UDP, processor µs"],
  ["tcp", "Queries/s over TCP"],
  ["updates-50", "Signed updates/s, 50 outstanding"],
  ["updates-400", "Signed updates/s, 400 outstanding"],
  ["latency-p99", "Time to the answer, p99 ms"],
  ["busy-p99", "The same under updates, p99 ms"],
  ["secondary-p50", "Update to secondary, p50 ms"],
  ["start", "First start, ms"],
  ["million-start", "A million names: start, ms"],
  ["million-memory", "A million names: memory, MiB"],
  ["million-cost", "A million names: query, µs"],
  ["million-transfer", "A million names: AXFR, s"],
];

const COLUMNS = 2;
const PANEL_WIDTH = 400;
const GAP = 32;
const MARGIN = 24;
const HEAD = 64;
const TITLE_HEIGHT = 26;
const BAR_HEIGHT = 14;
const BAR_STEP = 20;
const NAME_WIDTH = 64;
/** Room behind the longest bar for its figure. */
const FIGURE_WIDTH = 64;
const LONGEST_BAR = PANEL_WIDTH - NAME_WIDTH - FIGURE_WIDTH;
/** So that a figure far below the greatest is still seen to be one. */
const SHORTEST_BAR = 1.5;

const STYLE = `
    text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
    .head { font-size: 18px; font-weight: 600; }
    .title { font-weight: 600; }
    .quiet { fill: #59636e; }
    .page { fill: #ffffff; }
    .bar { fill: #8c959f; }
    .ours { fill: #0969da; }
    .name-ours { font-weight: 600; }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc; }
      .quiet { fill: #9198a1; }
      .page { fill: #0d1117; }
      .bar { fill: #656c76; }
      .ours { fill: #4493f8; }
    }
  `;

/**
 * Draws the medians of the rounds. Each panel has a scale of its own, from 0; a server without a figure shows a dash.
 * @param servers the first is the one whose chart it is
 * @param caption where the figures are from: one line
 */
export function resultChart(
  servers: readonly string[],
  measures: readonly Measure[],
  caption: string,
): string {
  const shown = PANELS.flatMap(([id, title]) => {
    const measure = measures.find((one) => one.id === id);
    return measure === undefined ? [] : [{ title, measure }];
  });
  const panelHeight = TITLE_HEIGHT + servers.length * BAR_STEP;
  const rows = Math.ceil(shown.length / COLUMNS);
  const width = 2 * MARGIN + COLUMNS * PANEL_WIDTH + (COLUMNS - 1) * GAP;
  const height = HEAD + MARGIN + rows * panelHeight + Math.max(0, rows - 1) * GAP + MARGIN;
  const panels = shown.map(({ title, measure }, at) => {
    const x = MARGIN + (at % COLUMNS) * (PANEL_WIDTH + GAP);
    const y = HEAD + MARGIN + Math.floor(at / COLUMNS) * (panelHeight + GAP);
    return panel(servers, title, measure, x, y);
  });
  const inWords = shown.map(({ title, measure }) => describe(servers, title, measure)).join(" ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">
  <title id="title">${escape(`${servers.join(", ")} measured side by side`)}</title>
  <desc id="description">${escape(inWords)}</desc>
  <style>${STYLE}</style>
  <rect class="page" width="${width}" height="${height}" rx="8"/>
  <text class="head" x="${MARGIN}" y="38">${escape(`${servers.join(", ")}: one core each, medians`)}</text>
  <text class="quiet" x="${MARGIN}" y="60">${escape(caption)}</text>
${panels.join("\n")}
</svg>
`;
}

function panel(servers: readonly string[], title: string, measure: Measure, x: number, y: number): string {
  const greatest = Math.max(...servers.map((server) => medianOf(measure, server) ?? 0));
  const bars = servers.map((server, at) => {
    const top = TITLE_HEIGHT + at * BAR_STEP;
    const base = top + BAR_HEIGHT - 3;
    const value = medianOf(measure, server);
    const isOurs = at === 0;
    const name = `<text x="0" y="${base}"${isOurs ? ' class="name-ours"' : ""}>${escape(server)}</text>`;
    if (value === undefined) return `${name}<text class="quiet" x="${NAME_WIDTH}" y="${base}">–</text>`;
    const share = greatest > 0 ? Math.max(0, value) / greatest : 0;
    const length = Math.max(SHORTEST_BAR, share * LONGEST_BAR);
    const bar = `<rect class="bar${isOurs ? " ours" : ""}" x="${NAME_WIDTH}" y="${top}" width="${length.toFixed(1)}" height="${BAR_HEIGHT}" rx="2"/>`;
    const figure = `<text x="${(NAME_WIDTH + length + 6).toFixed(1)}" y="${base}">${figureText(measure, value)}</text>`;
    return `${name}${bar}${figure}`;
  });
  const note = `<tspan class="quiet" font-weight="400" dx="6">– ${measure.better} is better</tspan>`;
  const lines = [`<text class="title" x="0" y="12">${escape(title)}${note}</text>`, ...bars];
  return `  <g transform="translate(${x} ${y})">\n    ${lines.join("\n    ")}\n  </g>`;
}

/** A panel in words, for those who do not see it. */
function describe(servers: readonly string[], title: string, measure: Measure): string {
  const parts = servers.flatMap((server) => {
    const value = medianOf(measure, server);
    return value === undefined ? [] : [`${server} ${figureText(measure, value)}`];
  });
  return `${title}, ${measure.better} is better: ${parts.join(", ")}.`;
}

function medianOf({ figures }: Measure, server: string): number | undefined {
  return present(figures.get(server))?.median;
}

function figureText({ digits }: Measure, value: number): string {
  return numberText(value, value >= 100 ? 0 : digits);
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
