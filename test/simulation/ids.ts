/** Members are numbered from 1; their ids use all 64 bits, so that a number in the place of a bigint shows. */
const STRIDE = 0x0100_0000_0000_0001n;

export function idOf(member: number): bigint {
  return BigInt(member) * STRIDE;
}

export function numberOf(id: bigint): number {
  return Number(id / STRIDE);
}
