/** What is known of one of etcd's flags: the command line, the environment, the file, --help and docs/etcd.md follow it. */

/** As etcd's --help groups them, in its order. */
export const flagGroups = [
  'Member',
  'Clustering',
  'Security',
  'Auth',
  'Profiling and monitoring',
  'Logging',
  'Features',
  'Unsafe',
  'Older names and versions',
] as const;
export type FlagGroup = (typeof flagGroups)[number];

export interface EtcdFlag {
  /** Without dashes. */
  readonly name: string;
  /** What its value is called in --help; absent: a boolean, which is true where it stands alone. */
  readonly value?: string;
  /** As one would write it; absent: none is given, and who uses the value decides. */
  readonly byDefault?: string;
  /** What it comes to when it is not given and `byDefault` is absent, in words. */
  readonly usual?: string;
  readonly description: string;
  /** Throws commander's InvalidArgumentError. */
  readonly parse: (text: string) => unknown;
  /** Why it is accepted and does nothing here: a line for whoever gives it. */
  readonly noMeaning?: string;
  /**
   * Why a value other than the default is refused: what it promises would matter to whoever relies on it, and is not
   * there.
   */
  readonly refused?: string;
  /** Another name of this flag, of a later version: what is given counts for that one. */
  readonly sameAs?: string;
  /** Where etcd's file has it, if it is not at the top under its own name. */
  readonly fileKey?: readonly string[];
}

/** A flag in its group. */
export interface GroupedFlag extends EtcdFlag {
  readonly group: FlagGroup;
}
