/** Signals that stop a container, as OpenAPI lists them: sorted as text. */
const NAMED = [
  'ABRT',
  'ALRM',
  'BUS',
  'CHLD',
  'CLD',
  'CONT',
  'FPE',
  'HUP',
  'ILL',
  'INT',
  'IO',
  'IOT',
  'KILL',
  'PIPE',
  'POLL',
  'PROF',
  'PWR',
  'QUIT',
  'SEGV',
  'STKFLT',
  'STOP',
  'SYS',
  'TERM',
  'TRAP',
  'TSTP',
  'TTIN',
  'TTOU',
  'URG',
  'USR1',
  'USR2',
  'VTALRM',
  'WINCH',
  'XCPU',
  'XFSZ',
];

/** Real-time signals are counted up from the first and down from the last. */
const BELOW_LAST = 14;
const ABOVE_FIRST = 15;
const countTo = (max: number): number[] => Array.from({ length: max }, (_, i) => i + 1);

export const SIGNALS: readonly string[] = [
  ...NAMED.map((name) => `SIG${name}`),
  'SIGRTMIN',
  'SIGRTMAX',
  ...countTo(ABOVE_FIRST).map((n) => `SIGRTMIN+${n}`),
  ...countTo(BELOW_LAST).map((n) => `SIGRTMAX-${n}`),
].sort();

/** What Windows knows. */
export const WINDOWS_SIGNALS: readonly string[] = ['SIGKILL', 'SIGTERM'];
