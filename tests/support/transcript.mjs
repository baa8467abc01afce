// The blocks of README.md that are commands: what a person types there, and what they are shown.
import { CLIENT_SECRET } from './github.mjs';

/** The fenced blocks of a document: language, text, the line of the document that it begins behind. */
export const blocksOf = (markdown) => [...markdown.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(({ 1: language, 2: text, index }) => (
  { language, text, line: markdown.slice(0, index).split('\n').length }));

/** Questions that programs ask, and what is typed: what stands behind them, or what is not shown. */
const QUESTIONS = [
  [/^(Client id: )(.*)$/],
  [/^(Client secret \(not shown\):)$/, CLIENT_SECRET],
  [/^(Scopes \[.*\]:) ?(.*)$/],
  [/^(Change that\? \[y\/N\]: )(.*)$/],
];

const literally = (text) => new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));

/** What is typed in answer to the question that a line is; undefined where it is none. */
function answerTo(line) {
  for (const [pattern, hidden] of QUESTIONS) {
    const match = pattern.exec(line);
    if (match) return { question: literally(match[1]), reply: hidden ?? match[2] ?? '', shown: hidden ? '' : match[2] ?? '' };
  }
  return undefined;
}

/** The commands of a console block: each with the lines that are shown then, and the answers that are typed. */
export function commandsOf(block) {
  const commands = [];
  for (const line of block.text.replace(/\n$/, '').split('\n')) {
    if (line.startsWith('$ ')) commands.push({ command: line.slice(2), shown: [], answers: [] });
    else {
      const { shown, answers } = commands.at(-1);
      shown.push(line);
      const answer = answerTo(line);
      if (answer) answers.push({ ...answer, at: shown.length - 1 });
    }
  }
  return commands;
}

/** What differs from run to run, and what stands for it in README.md. */
const SAMPLES = [
  [/\bconn_[0-9A-Z]{26}\b/g, 'conn_01M856KMD7PKNXEXFFB2GD416S'],
  [/\bnexus-pub-[0-9a-f]{72}\b/g, 'nexus-pub-26a1…'],
  [/\bnxr_[\w-]{60,}/g, 'nxr_…'],
  // They are made with a key of the vault; two secrets have two.
  [/\(fingerprint ([0-9a-f]{8})\) → \(fingerprint (?!\1)[0-9a-f]{8}\)/g, '(fingerprint 7cbc01c8) → (fingerprint cf96bd59)'],
];

/** What `nexus connect` says in a container alone, where tests are often run. */
const IN_A_CONTAINER = [/^This is a container: publish port \d+ /, /^Or start again with --paste or --device\.$/];

const withoutContainer = (lines) => (lines.some((line) => IN_A_CONTAINER[0].test(line))
  ? lines.filter((line) => !IN_A_CONTAINER.some((said) => said.test(line))) : lines);

/** Lines as README.md has them, of a machine with a home and ports of its own. */
export const asWritten = (lines, { home, ports }) => withoutContainer(lines).map((line) => SAMPLES.reduce(
  (text, [pattern, sample]) => text.replaceAll(pattern, sample),
  line.replaceAll(home, '/home/me').replaceAll(`:${ports.callback}`, ':8090').replaceAll(`:${ports.proxy}`, ':8070')));

/** Commands of README.md for that machine. */
export const onMachine = (text, machine) => text.replaceAll(':8090', `:${machine.ports.callback}`).replaceAll(':8070', `:${machine.ports.proxy}`);

/** Whether lines are as they are written: a line that ends in … goes on, and one that is … stands for any number. */
export function isAsWritten(lines, written) {
  if (written.length === 0) return lines.length === 0;
  const [first, ...rest] = written;
  if (first === '…') return lines.length >= rest.length && isAsWritten(lines.slice(lines.length - rest.length), rest);
  const fits = lines.length > 0 && (first.endsWith('…') ? lines[0].startsWith(first.slice(0, -1)) : lines[0] === first);
  return fits && isAsWritten(lines.slice(1), rest);
}
