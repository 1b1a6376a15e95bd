/** A request as a command for a shell, to have it again. */
import type { FuzzCase } from './generator.js';
import type { Message } from './message.js';

/** Longer ones are had again by the run's seed and the request's number. */
const COMMAND_CHARACTERS_MAX = 20_000;

export function commandOf(fuzzCase: FuzzCase, port: number, securePort: number): string {
  const command =
    fuzzCase.kind === 'wire'
      ? netcat(fuzzCase.bytes, fuzzCase.over === 'plain' ? port : securePort, fuzzCase.over)
      : curl(fuzzCase.message, port);
  return command.length <= COMMAND_CHARACTERS_MAX
    ? command
    : `${command.slice(0, COMMAND_CHARACTERS_MAX)}… (cut: use --only)`;
}

function netcat(bytes: Buffer, port: number, over: string): string {
  const to =
    over === 'tls' ? `openssl s_client -quiet -connect 127.0.0.1:${port}` : `nc -q 1 127.0.0.1 ${port}`;
  return `printf '%b' ${quoted(escaped(bytes))} | ${to}`;
}

function curl({ method, target, headers, body, chunks }: Message, port: number): string {
  const parts = ['curl', '-sS', '--max-time', '5', '--path-as-is', '--globoff', '-i'];
  if (method === 'HEAD') parts.push('-I');
  else if (method !== 'GET' || body.length > 0) parts.push('-X', quoted(method));
  const own = headers.map(([name]) => name.toLowerCase());
  // What curl would send by itself.
  for (const name of ['accept', 'user-agent', ...(body.length > 0 ? ['content-type'] : [])]) {
    if (!own.includes(name)) parts.push('-H', quoted(`${name}:`));
  }
  for (const [name, value] of headers)
    parts.push('-H', bash(value === '' ? `${name};` : `${name}: ${value}`));
  if (chunks !== undefined) parts.push('-H', quoted('Transfer-Encoding: chunked'));
  const url = target.startsWith('/')
    ? quoted(`http://127.0.0.1:${port}${target}`)
    : `--request-target ${quoted(target)} http://127.0.0.1:${port}/`;
  if (body.length === 0) return [...parts, url].join(' ');
  return `printf '%b' ${quoted(escaped(body))} | ${[...parts, '--data-binary @-', url].join(' ')}`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** For headers, which may have bytes that are no text. */
const bash = (text: string): string =>
  // oxlint-disable-next-line no-control-regex
  /^[\x20-\x7e]*$/.test(text)
    ? quoted(text)
    : `$'${[...Buffer.from(text, 'latin1')].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}'`;

/** As `printf '%b'` reads it. */
const escaped = (bytes: Buffer): string =>
  [...bytes]
    .map((byte) =>
      byte === 0x5c
        ? '\\\\'
        : byte === 0x0a
          ? '\\n'
          : byte >= 0x20 && byte < 0x7f
            ? String.fromCharCode(byte)
            : `\\0${byte.toString(8).padStart(3, '0')}`,
    )
    .join('');
