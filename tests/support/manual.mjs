// The manual pages as data: what their sections say and their tables hold, without roff's escapes.
import { readFileSync, readdirSync } from 'node:fs';

export const MAN = new URL('../../man/', import.meta.url).pathname;

export const pages = readdirSync(MAN).sort();

export const source = (page) => readFileSync(MAN + page, 'utf8');

const CHARACTERS = { '(ti': '~', '(ha': '^', '(aq': "'", '(dq': '"', e: '\\', '&': '' };
export const plain = (roff) => roff.replaceAll(/\\(f[BIRP]|\(\w\w|.)/g, (_, name) => CHARACTERS[name] ?? (name.length > 1 ? '' : name));

/** The text below a heading (.SH, or .SS with `macro`), up to the next one of its rank; undefined where there is none. */
export function section(roff, heading, macro = 'SH') {
  const parts = roff.split(new RegExp(macro === 'SH' ? /^\.SH /m : /^\.S[HS] /m));
  return parts.slice(1).find((part) => part.split('\n', 1)[0].replaceAll('"', '') === heading)?.replace(/^.*\n/, '');
}

/** The rows of all tables of a text, each a list of cells. */
export function rows(roff) {
  return [...roff.matchAll(/^\.TS\n[^]*?\.\n([^]*?)^\.TE$/gm)].flatMap(([, table]) =>
    table.replaceAll(/T\{\n([^]*?)\nT\}/g, (_, cell) => cell.replaceAll('\n', ' ')).trim().split('\n').map((row) => row.split('\t').map(plain)));
}
