/** Numbers as Kubernetes' YAML library reads them: Go's ParseInt and ParseFloat, with underscores anywhere. */

const INTEGER = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const INT64_MIN = -(2n ** 63n);
const UINT64_END = 2n ** 64n;
/** Of 64 bits in decimal; to read very many takes long. */
const DECIMAL_DIGITS_MAX = 20;

/** Undefined where a plain scalar is none. What neither 64 bits nor a double hold is none. */
export function yamlNumber(text: string): number | undefined {
  if (text.startsWith('.')) return float(text);
  if (!/^[-+0-9]/.test(text)) return undefined;
  const plain = text.replaceAll('_', '');
  return integer(plain) ?? float(plain);
}

function integer(text: string): number | undefined {
  const [, sign = '', digits] = INTEGER.exec(text) ?? [];
  if (digits === undefined || (digits.length > DECIMAL_DIGITS_MAX && !digits.startsWith('0')))
    return undefined;
  const value = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits.toLowerCase());
  const signed = sign === '-' ? -value : value;
  // Only what has no sign is tried as an unsigned one.
  const end = sign === '' ? UINT64_END : -INT64_MIN;
  return signed >= INT64_MIN && signed < end ? Number(signed) : undefined;
}

function float(text: string): number | undefined {
  const value = FLOAT.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}
