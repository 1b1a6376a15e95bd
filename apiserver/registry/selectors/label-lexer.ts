/** Tokens of the label selector grammar. */

export type TokenKind = 'end' | 'identifier' | Operator | '(' | ')' | ',';
export type Operator = '!' | '=' | '==' | '!=' | 'in' | 'notin' | '<' | '>';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const SYMBOLS: ReadonlySet<string> = new Set(['(', ')', ',', '!', '=', '==', '!=', '<', '>']);
const WORD = /[^=!(),<> \t\r\n]*/y;
const SPACE = /[ \t\r\n]*/y;

/** All tokens of a selector; the last is `end`. */
export function tokenize(selector: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  for (;;) {
    SPACE.lastIndex = position;
    SPACE.test(selector);
    position = SPACE.lastIndex;
    if (position >= selector.length) {
      tokens.push({ kind: 'end', text: '' });
      return tokens;
    }
    const token = symbolAt(selector, position) ?? wordAt(selector, position);
    tokens.push(token);
    position += token.text.length;
  }
}

/** The longest operator that begins here; operators may follow each other without a space. */
function symbolAt(selector: string, position: number): Token | undefined {
  const two = selector.slice(position, position + 2);
  const text = SYMBOLS.has(two) ? two : two.slice(0, 1);
  return SYMBOLS.has(text) ? { kind: text as TokenKind, text } : undefined;
}

function wordAt(selector: string, position: number): Token {
  WORD.lastIndex = position;
  const text = WORD.exec(selector)?.[0] ?? '';
  return { kind: text === 'in' || text === 'notin' ? text : 'identifier', text };
}
