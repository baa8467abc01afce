// A session on a terminal as an animated SVG: text that stays text, moved by CSS alone, all of it there at once for who
// wants no motion. As a program: node recording.mjs OUTPUT records the first console block of README.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { Machine } from './machine.mjs';
import { asWritten, blocksOf, commandsOf } from './transcript.mjs';

const COLUMNS = 80;
const CELL = 8.4;  // px, of a font of 14 px
const ROW = 20;
const EDGE = 18;
// Seconds.
const KEY = 0.06;
const HIDDEN = 1.2;  // typing what is not shown
const LINE = 0.04;
const THINKING = 0.5;
const CONSENT = 2;
const AFTER_COMMAND = 1.2;
const AT_THE_END = 9;

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const cut = (line) => ([...line].length > COLUMNS ? `${[...line].slice(0, COLUMNS - 1).join('')}…` : line);

/** Runs the commands; each with the lines that it showed, as README.md would have them. */
export async function play(machine, commands) {
  const session = [];
  for (const { command, answers } of commands) {
    const { code, lines } = await machine.type(command, answers.map(({ question, reply }) => [question, reply]));
    session.push({ command, answers, code, lines: asWritten(lines, machine) });
  }
  return session;
}

/** The rows of the picture: what is shown, what is typed behind it, and when. */
function schedule(session) {
  const rows = [];
  let now = THINKING;
  const type = (shown, typed, hidden = false) => {
    const keys = [...typed].length * KEY;
    rows.push({ shown, typed, at: now, typedFrom: now + THINKING, typedUntil: now + THINKING + keys });
    now += THINKING + keys + (hidden ? HIDDEN : 0);
  };
  for (const { command, answers, lines } of session) {
    type('$ ', command);
    now += THINKING;
    for (const [at, line] of lines.entries()) {
      const answer = answers.find((each) => each.at === at);
      if (answer) type(line.slice(0, line.length - answer.shown.length), answer.shown, answer.reply !== answer.shown);
      else {
        if (line.startsWith('Connected as ')) now += CONSENT;
        rows.push({ shown: cut(line), typed: '', at: now });
        now += LINE;
      }
    }
    now += AFTER_COMMAND;
  }
  rows.push({ shown: '$ ', typed: '', at: now });
  return { rows, end: now + AT_THE_END };
}

const text = (row, column, words, kind) => (words.trim() === '' ? '' : `<text${kind ? ` class="${kind}"` : ''} x="${(EDGE + column * CELL).toFixed(1)}" y="${EDGE + row * ROW + 15}" `
  + `textLength="${([...words.trimEnd()].length * CELL).toFixed(1)}">${escaped(words.trimEnd())}</text>`);

/** The picture of a session. */
export function picture(session) {
  const { rows, end } = schedule(session);
  const percent = (time) => `${(100 * time / end).toFixed(2)}%`;
  const width = 2 * EDGE + COLUMNS * CELL;
  const height = 2 * EDGE + rows.length * ROW;
  const motion = [];
  const drawn = rows.map(({ shown, typed, at, typedFrom, typedUntil }, row) => {
    motion.push(`@keyframes r${row}{0%{opacity:0}${percent(at)}{opacity:1}}#r${row}{animation-name:r${row}}`);
    const column = [...shown].length;
    let line = text(row, 0, shown, shown === '$ ' ? 'prompt' : '');
    if (typed) {
      const keys = [...typed].length;
      motion.push(`@keyframes k${row}{0%{transform:none}${percent(typedFrom)}{transform:none;animation-timing-function:steps(${keys})}${percent(typedUntil)},100%{transform:scaleX(0)}}#k${row}{animation-name:k${row}}`);
      line += text(row, column, typed, 'typed')
        + `<rect class="key" id="k${row}" x="${(EDGE + column * CELL).toFixed(1)}" y="${EDGE + row * ROW}" width="${(keys * CELL).toFixed(1)}" height="${ROW}"/>`;
    }
    return `<g class="row" id="r${row}">${line}</g>`;
  });
  const commands = session.map(({ command }) => command).join(', ');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">${escaped(`A terminal: ${commands}`)}</title>
<style>
text{font:14px ui-monospace,"SF Mono","DejaVu Sans Mono",monospace;fill:#3d444d;white-space:pre}
.typed{fill:#1f2328;font-weight:bold}.prompt{fill:#2f6fb5}
.paper{fill:#f6f8fa;stroke:#d1d9e0}.key{fill:#f6f8fa;transform:scaleX(0);transform-box:fill-box;transform-origin:right}
@media (prefers-color-scheme:dark){text{fill:#c3cad2}.typed{fill:#fff}.prompt{fill:#5a9be0}.paper{fill:#0d1117;stroke:#3d444d}.key{fill:#0d1117}}
@media (prefers-reduced-motion:no-preference){
.row,.key{animation:${end.toFixed(2)}s step-end infinite}
${motion.join('\n')}
}
</style>
<rect class="paper" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>
${drawn.join('\n')}
</svg>
`;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const block = blocksOf(readFileSync(new URL('../../README.md', import.meta.url), 'utf8')).find(({ language }) => language === 'console');
  const machine = await Machine.make();
  try {
    const session = await play(machine, commandsOf(block));
    const failed = session.find(({ code }) => code !== 0);
    if (failed) throw new Error(`${failed.command} ended with ${failed.code}:\n${failed.lines.join('\n')}`);
    writeFileSync(process.argv[2], picture(session));
  } finally {
    await machine.remove();
  }
}
