/**
 * The store's one family of errors: a gRPC code and etcd's exact text. No other error leaves storage/.
 */

/** gRPC status codes that etcd uses. */
export const GrpcCode = {
  Canceled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  FailedPrecondition: 9,
  Aborted: 10,
  OutOfRange: 11,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  DataLoss: 15,
  Unauthenticated: 16,
} as const;
export type GrpcCode = (typeof GrpcCode)[keyof typeof GrpcCode];

/** Every error a client of the store can see, by the name etcd's Go package gives it. */
export const etcdErrors = {
  EmptyKey: [GrpcCode.InvalidArgument, 'etcdserver: key is not provided'],
  KeyNotFound: [GrpcCode.InvalidArgument, 'etcdserver: key not found'],
  ValueProvided: [GrpcCode.InvalidArgument, 'etcdserver: value is provided'],
  LeaseProvided: [GrpcCode.InvalidArgument, 'etcdserver: lease is provided'],
  TooManyOps: [GrpcCode.InvalidArgument, 'etcdserver: too many operations in txn request'],
  DuplicateKey: [GrpcCode.InvalidArgument, 'etcdserver: duplicate key given in txn request'],
  InvalidClientAPIVersion: [GrpcCode.InvalidArgument, 'etcdserver: invalid client api version'],
  InvalidSortOption: [GrpcCode.InvalidArgument, 'etcdserver: invalid sort option'],
  Compacted: [GrpcCode.OutOfRange, 'etcdserver: mvcc: required revision has been compacted'],
  FutureRev: [GrpcCode.OutOfRange, 'etcdserver: mvcc: required revision is a future revision'],
  NoSpace: [GrpcCode.ResourceExhausted, 'etcdserver: mvcc: database space exceeded'],
  LeaseNotFound: [GrpcCode.NotFound, 'etcdserver: requested lease not found'],
  LeaseExist: [GrpcCode.FailedPrecondition, 'etcdserver: lease already exists'],
  LeaseTTLTooLarge: [GrpcCode.OutOfRange, 'etcdserver: too large lease TTL'],
  WatchCanceled: [GrpcCode.Canceled, 'etcdserver: watch canceled'],
  RequestTooLarge: [GrpcCode.InvalidArgument, 'etcdserver: request is too large'],
  RequestTooManyRequests: [GrpcCode.ResourceExhausted, 'etcdserver: too many requests'],
  RootUserNotExist: [GrpcCode.FailedPrecondition, 'etcdserver: root user does not exist'],
  RootRoleNotExist: [GrpcCode.FailedPrecondition, 'etcdserver: root user does not have root role'],
  UserAlreadyExist: [GrpcCode.FailedPrecondition, 'etcdserver: user name already exists'],
  UserEmpty: [GrpcCode.InvalidArgument, 'etcdserver: user name is empty'],
  UserNotFound: [GrpcCode.FailedPrecondition, 'etcdserver: user name not found'],
  RoleAlreadyExist: [GrpcCode.FailedPrecondition, 'etcdserver: role name already exists'],
  RoleNotFound: [GrpcCode.FailedPrecondition, 'etcdserver: role name not found'],
  RoleEmpty: [GrpcCode.InvalidArgument, 'etcdserver: role name is empty'],
  AuthFailed: [GrpcCode.InvalidArgument, 'etcdserver: authentication failed, invalid user ID or password'],
  PermissionNotGiven: [GrpcCode.InvalidArgument, 'etcdserver: permission not given'],
  PermissionDenied: [GrpcCode.PermissionDenied, 'etcdserver: permission denied'],
  RoleNotGranted: [GrpcCode.FailedPrecondition, 'etcdserver: role is not granted to the user'],
  PermissionNotGranted: [GrpcCode.FailedPrecondition, 'etcdserver: permission is not granted to the role'],
  AuthNotEnabled: [GrpcCode.FailedPrecondition, 'etcdserver: authentication is not enabled'],
  InvalidAuthToken: [GrpcCode.Unauthenticated, 'etcdserver: invalid auth token'],
  InvalidAuthMgmt: [GrpcCode.InvalidArgument, 'etcdserver: invalid auth management'],
  AuthOldRevision: [GrpcCode.InvalidArgument, 'etcdserver: revision of auth store is old'],
  Stopped: [GrpcCode.Unavailable, 'etcdserver: server stopped'],
  Timeout: [GrpcCode.Unavailable, 'etcdserver: request timed out'],
  TimeoutDueToLeaderFail: [
    GrpcCode.Unavailable,
    'etcdserver: request timed out, possibly due to previous leader failure',
  ],
  TimeoutDueToConnectionLost: [
    GrpcCode.Unavailable,
    'etcdserver: request timed out, possibly due to connection lost',
  ],
  TimeoutWaitAppliedIndex: [
    GrpcCode.Unavailable,
    'etcdserver: request timed out, waiting for the applied index took too long',
  ],
  LeaderChanged: [GrpcCode.Unavailable, 'etcdserver: leader changed'],
  NotCapable: [GrpcCode.FailedPrecondition, 'etcdserver: not capable'],
  NoLeader: [GrpcCode.Unavailable, 'etcdserver: no leader'],
  NotLeader: [GrpcCode.FailedPrecondition, 'etcdserver: not leader'],
  MemberExist: [GrpcCode.FailedPrecondition, 'etcdserver: member ID already exist'],
  PeerURLExist: [GrpcCode.FailedPrecondition, 'etcdserver: Peer URLs already exists'],
  MemberNotEnoughStarted: [
    GrpcCode.FailedPrecondition,
    'etcdserver: re-configuration failed due to not enough started members',
  ],
  MemberBadURLs: [GrpcCode.InvalidArgument, 'etcdserver: given member URLs are invalid'],
  MemberNotFound: [GrpcCode.NotFound, 'etcdserver: member not found'],
  MemberNotLearner: [GrpcCode.FailedPrecondition, 'etcdserver: can only promote a learner member'],
  LearnerNotReady: [
    GrpcCode.FailedPrecondition,
    'etcdserver: can only promote a learner member which is in sync with leader',
  ],
  TooManyLearners: [GrpcCode.FailedPrecondition, 'etcdserver: too many learner members in cluster'],
  ClusterIDMismatch: [GrpcCode.FailedPrecondition, 'etcdserver: cluster ID mismatch'],
  BadLeaderTransferee: [GrpcCode.FailedPrecondition, 'etcdserver: bad leader transferee'],
  NotSupportedForLearner: [GrpcCode.FailedPrecondition, 'etcdserver: rpc not supported for learner'],
  Unhealthy: [GrpcCode.Unavailable, 'etcdserver: unhealthy cluster'],
  Corrupt: [GrpcCode.DataLoss, 'etcdserver: corrupt cluster'],
  WrongDowngradeVersionFormat: [
    GrpcCode.InvalidArgument,
    'etcdserver: wrong downgrade target version format',
  ],
  InvalidDowngradeTargetVersion: [GrpcCode.InvalidArgument, 'etcdserver: invalid downgrade target version'],
  ClusterVersionUnavailable: [
    GrpcCode.FailedPrecondition,
    'etcdserver: cluster version not found during downgrade',
  ],
  DowngradeInProcess: [GrpcCode.FailedPrecondition, 'etcdserver: cluster has a downgrade job in progress'],
  NoInflightDowngrade: [GrpcCode.FailedPrecondition, 'etcdserver: no inflight downgrade job'],
  ElectionNoLeader: [GrpcCode.Unknown, 'election: no leader'],
  ElectionNotLeader: [GrpcCode.Unknown, 'election: not leader'],
  LeaderKeyMissing: [GrpcCode.Unknown, '"leader" field must be provided'],
  SessionExpired: [GrpcCode.Unknown, 'mutex: session is expired'],
  /** As etcd sends it, which has no code of its own for it. */
  NoPasswordUser: [GrpcCode.Unknown, 'auth: authentication failed, password was given for no password user'],
  /** The member has a public key only. As etcd sends it. */
  VerifyOnly: [GrpcCode.Unknown, 'auth: token signing attempted with verify-only key'],
  Canceled: [GrpcCode.Canceled, 'etcdserver: request canceled'],
  DeadlineExceeded: [GrpcCode.DeadlineExceeded, 'etcdserver: context deadline exceeded'],
} as const satisfies Record<string, readonly [GrpcCode, string]>;

export type EtcdErrorName = keyof typeof etcdErrors;

export class EtcdError extends Error {
  override name = 'EtcdError';
  constructor(
    readonly code: GrpcCode,
    message: string,
  ) {
    super(message);
  }

  static of(name: EtcdErrorName): EtcdError {
    const [code, message] = etcdErrors[name];
    return new EtcdError(code, message);
  }

  /** True for the error of this name, also when it came over the wire. */
  is(name: EtcdErrorName): boolean {
    const [code, message] = etcdErrors[name];
    return this.code === code && this.message === message;
  }
}

/** The request certainly never reached a server: there was no connection to `endpoint`. */
export class NotSentError extends EtcdError {
  constructor(endpoint: string, why: string) {
    super(GrpcCode.Unavailable, `cannot connect to ${endpoint}: ${why}`);
  }
}
