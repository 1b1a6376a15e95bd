/** What JavaScript's own objects had when the process began: a client must not be able to add to them. */

const watched: readonly (readonly [name: string, object: object])[] = [
  ['Object', Object],
  ['Object.prototype', Object.prototype],
  ['Array.prototype', Array.prototype],
  ['Function.prototype', Function.prototype],
  ['String.prototype', String.prototype],
  ['Number.prototype', Number.prototype],
  ['Boolean.prototype', Boolean.prototype],
  ['Map.prototype', Map.prototype],
  ['Set.prototype', Set.prototype],
  ['Promise.prototype', Promise.prototype],
  ['RegExp.prototype', RegExp.prototype],
  ['Date.prototype', Date.prototype],
  ['Error.prototype', Error.prototype],
  ['Buffer.prototype', Buffer.prototype],
  ['URLSearchParams.prototype', URLSearchParams.prototype],
];

type Members = ReadonlyMap<PropertyKey, unknown>;

const membersOf = (object: object): Members =>
  new Map(
    Reflect.ownKeys(object).map((key) => {
      const { value, ...accessor } = Object.getOwnPropertyDescriptor(object, key) ?? {};
      return [key, (value as unknown) ?? Object.values(accessor).find((part) => typeof part === 'function')];
    }),
  );

export class Prototypes {
  readonly #before = watched.map(([, object]) => membersOf(object));

  /** Members that are new, gone or another, `Object.prototype.x`; empty when all is as it was. */
  changes(): string[] {
    return watched.flatMap(([name, object], index) => {
      const before = this.#before[index] as Members;
      const now = membersOf(object);
      return [...new Set([...before.keys(), ...now.keys()])]
        .filter((key) => before.get(key) !== now.get(key))
        .map((key) => `${name}.${String(key)}`);
    });
  }
}
