/** Field numbers and wire types of mvccpb.KeyValue, for who writes it by hand; each is a byte. */
export const KeyValueTag = {
  key: 0x0a,
  createRevision: 0x10,
  modRevision: 0x18,
  version: 0x20,
  value: 0x2a,
  lease: 0x30,
} as const;
