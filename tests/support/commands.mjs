// The commands that there are, as their help lists them.

/** Every command with its help, as [words, text]; [] is nexus itself. */
export async function commandsOf(home) {
  const all = [];
  const waiting = [[]];
  while (waiting.length > 0) {
    const words = waiting.shift();
    const { code, stdout, stderr } = await home.nexus([...words, '--help']);
    if (code !== 0) throw new Error(stderr);
    all.push([words, stdout]);
    const listed = stdout.match(/^Commands:\n((?: .*\n)+)/m)?.[1] ?? '';
    for (const [, name] of listed.matchAll(/^ {2}([a-z-]+) /gm)) waiting.push([...words, name]);
  }
  return all;
}

/** The options of a help, each by all of its names; a switch that can be turned off has both. */
export function optionsOf(text) {
  return [...text.matchAll(/^ {2}((?:-\w, )?--[\w[\]-]+)/gm)].flatMap(([, names]) => names.split(', '))
    .flatMap((name) => (name.startsWith('--[no-]') ? [`--${name.slice(7)}`, `--no-${name.slice(7)}`] : [name]));
}
