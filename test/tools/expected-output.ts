/**
 * What a command should print, written as it is printed. What differs each time stands as a mark: `«age»`, `«time»`,
 * `«uid»`, `«ip»`, `«number»`, `«word»`, `«some»` (of one line), `«lines»`. What only one version of the client prints
 * stands as `«1.35:text»`, and goes with its whole line where there is nothing else on it.
 */

const marks: Readonly<Record<string, string>> = {
  /** As tables show it: `5s`, `2m31s`. */
  age: String.raw`\d+[smhd](?:\d+[smhd])?`,
  time: String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?Z`,
  uid: String.raw`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`,
  ip: String.raw`\d+\.\d+\.\d+\.\d+`,
  number: String.raw`\d+`,
  word: String.raw`[\w.-]+`,
  some: '[^\\n]*',
  lines: '[^]*',
};

const versionMark = /«(\d+\.\d+):([^»]*)»/g;
const versionLine = /^(?:«\d+\.\d+:[^»]*»)+$/;

/** Text without the indentation of its first line, and without line breaks at its ends. */
export function dedent(text: string): string {
  const lines = text
    .replace(/^\n/, '')
    .replace(/(?:\n *)*$/, '')
    .split('\n');
  const indentation = /^ */.exec(lines[0] ?? '')?.[0].length ?? 0;
  return lines.map((line) => line.slice(Math.min(indentation, line.search(/\S|$/)))).join('\n');
}

/** What a version should print, line by line, still with marks. */
export function ofVersion(expected: string, version: string): string {
  const lines: string[] = [];
  for (const line of dedent(expected).split('\n')) {
    const own = line.replace(versionMark, (_mark, of: string, text: string) => (of === version ? text : ''));
    if (own !== '' || !versionLine.test(line)) lines.push(own);
  }
  return lines.join('\n');
}

/** Columns behind a mark move with what it stands for. */
export function patternOf(expected: string): RegExp {
  const source = expected.split(/(«\w+» *)/).map((part) => {
    const [, mark, spaces = ''] = /^«(\w+)»( *)$/.exec(part) ?? [];
    if (mark === undefined) return part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
    const found = marks[mark];
    if (found === undefined) throw new Error(`nothing is meant by «${mark}»`);
    return found + (spaces.length > 1 ? ' +' : spaces);
  });
  return new RegExp(`^${source.join('')}$`);
}
