// No dangling references: what comments, tests and documents point to is in this repository, and what
// nexus-security(7) promises is shown by tests that exist.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { plain } from '../support/manual.mjs';

const ROOT = new URL('../..', import.meta.url).pathname;
const read = (path) => readFileSync(join(ROOT, path), 'utf8');
const IS_SOURCE = /\.(cc|c|h|mjs)$/;

/** Every file that people write, by its path from the root. */
const files = (function below(directory) {
  return readdirSync(join(ROOT, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = directory ? `${directory}/${entry.name}` : entry.name;
    if (/^(build|node_modules|package-lock\.json|\.git|\.cache)$/.test(entry.name)) return [];
    return entry.isDirectory() ? below(path) : entry.isFile() ? [path] : [];
  });
})('');

/** What `pattern` finds in a file, each with its line. */
const found = (path, text, pattern) => [...text.matchAll(pattern)].map((match) => (
  { what: match[1] ?? match[0], where: `${path}:${text.slice(0, match.index).split('\n').length}` }));
const told = (list) => list.map(({ what, where }) => `${where} ${what}`);

/** The comments of a source file, each on its line. */
const comments = (text) => text.replaceAll(/^.*$/gm, (line) => line.match(/(?:^|\s)(?:\/\/|\/\*)(.*)|^\s*\*(.*)/)?.slice(1).join('') ?? '');

/** The names of a file's tests; `*` where a name is put together. */
function testNames(path) {
  const text = read(path);
  if (path.endsWith('.mjs'))
    return [...text.matchAll(/\b(?:test|describe)\((?:'((?:\\.|[^'\\\n])*)'|`([^`]*)`)/g)]
      .map(([, plain, template]) => (plain ?? template.replaceAll(/\$\{[^}]*\}/g, '*')).replaceAll(/\\(.)/g, '$1'));
  return [...text.matchAll(/\b(?:TEST_CASE|SECTION)\(\s*((?:"(?:\\.|[^"\\])*"\s*)+)/g)]
    .map(([, parts]) => [...parts.matchAll(/"((?:\\.|[^"\\])*)"/g)].map(([, part]) => part).join('').replaceAll(/\\(.)/g, '$1'));
}
const isTest = (path) => /^tests\/(integration|e2e)\/.*\.test\.mjs$|^tests\/unit\/.*_test\.cc$/.test(path);
const tests = new Map(files.filter(isTest).map((path) => [path, testNames(path)]));

/** The promises of nexus-security(7): number → what shows it, as [file, beginning of the test's name]. */
const promises = new Map(read('man/nexus-security.7').split(/^\.TP\n\.B (?=[A-Q]\d{1,2}$)/m).slice(1).map((block) => {
  const [number] = block.split('\n', 1);
  const shown = [...block.matchAll(/^\.IR (unit|integration|e2e)\/(\S+) :\n((?:[^.\n].*\n)+)/gm)].map(([, directory, name, text]) =>
    [`tests/${directory}/${plain(name)}${directory === 'unit' ? '_test.cc' : '.test.mjs'}`, plain(text).trim().replaceAll('\n', ' ')]);
  return [number, shown];
}));

const begins = (name, text) => (name.includes('*')
  ? new RegExp(`^${name.replace(/ \([A-Q]\d.*\)$/, '').split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')}`).test(text)
  : name.startsWith(text));

test('documents that are referred to are here', () => {
  const isHere = (name) => files.some((path) => basename(path) === basename(name));
  const withoutUrls = (text) => text.replaceAll(/\w+:\/\/\S+/g, '');
  const missing = files.flatMap((path) => found(path, withoutUrls(read(path)), /([\w./-]*\w\.md)\b/g)).filter(({ what }) => !isHere(what));
  assert.deepEqual(told(missing), []);
});

test('manual pages that are referred to are here, with the section that is named', () => {
  const pages = new Map(readdirSync(join(ROOT, 'man')).map((page) => [page.replace(/\.(\d)$/, '($1)'), read(`man/${page}`)]));
  const references = files.flatMap((path) => found(path, plain(read(path)), /\b(nexus[\w.-]* ?\(\d\)(?:, [A-Z][A-Z ]+[A-Z]\b)?)/g));
  assert.ok(references.length > 30);
  const missing = references.filter(({ what }) => {
    const [page, section] = what.replace(' (', '(').split(', ');
    return !pages.has(page) || (section && !pages.get(page).includes(`\n.SH ${section}\n`));
  });
  assert.deepEqual(told(missing), []);
});

test('openapi.yaml has the schemas that are referred to, and nexus-api(7) its routes', () => {
  const openapi = read('share/openapi.yaml');
  const references = files.flatMap((path) => found(path, read(path), /\bopenapi\.yaml, ([A-Z]\w+)/g));
  assert.deepEqual(told(references.filter(({ what }) => !openapi.includes(`\n    ${what}:\n`))), []);
  const listed = plain(read('man/nexus-api.7'));
  const routes = [...openapi.matchAll(/^ {2}(\/\S+):/gm)].map(([, route]) => route.replaceAll(/\{\w*id\}/g, '{id}'));
  assert.ok(routes.length > 30);
  // Those without /v1 are told as other names of those with it.
  assert.deepEqual(routes.filter((route) => !listed.includes(`\n${route}\t`) && !listed.includes(`\n/v1${route}\t`)), []);
});

test('a numbered promise in a comment or a test\'s name has its line in nexus-security(7)', () => {
  const NUMBER = /(?<![\w./+])([A-Q]\d{1,2})(?![\w/+]|\.\w)/g;
  const references = [
    ...files.filter((path) => IS_SOURCE.test(path)).flatMap((path) => found(path, comments(read(path)), NUMBER)),
    ...[...tests].flatMap(([path, names]) => names.flatMap((name) => found(`${path}: ${name}`, name, NUMBER))),
    ...found('man/nexus-security.7', read('man/nexus-security.7').replaceAll(/^\.B .*$/gm, ''), NUMBER),
  ];
  assert.ok(references.length > 50, `${references.length} references`);
  assert.deepEqual(told(references.filter(({ what }) => !promises.has(what))), []);
});

test('every promise of nexus-security(7) is shown by tests that exist', () => {
  assert.ok(promises.size > 100);
  const wrong = [...promises].flatMap(([number, shown]) => {
    if (shown.length === 0) return [`${number}: nothing shows it`];
    return shown.filter(([path, text]) => !tests.get(path)?.some((name) => begins(name, text)))
      .map(([path, text]) => `${number}: ${existsSync(join(ROOT, path)) ? `${path} has no test "${text}…"` : `there is no ${path}`}`);
  });
  assert.deepEqual(wrong, []);
});
