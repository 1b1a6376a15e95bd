/** Who may do what, given the state of users and permissions: the same on each member that applies a command. */
import type { RangeRequest, RequestOp, TxnRequest } from '../client/interface.js';
import type { Command } from '../command.js';
import { EtcdError } from '../errors.js';
import type { LeaseTable } from '../mvcc/leases.js';
import type { Caller } from './caller.js';
import { EVERYTHING, type Grants } from './grants.js';
import type { AuthState } from './state.js';

/** Why not; undefined: it may be done. */
type Denied = EtcdError | undefined;

/** What the keys of a lease are looked up in. */
type Leases = Pick<LeaseTable, 'keys'>;

/**
 * What stands against a command, in etcd's order. Management of users needs role root, but no recent revision, so that
 * root can always go on; everything else needs the revision of this moment.
 */
export function checkCommand(state: AuthState, leases: Leases, command: Command): Denied {
  if (!state.enabled) return undefined;
  if (command.type === 'auth') {
    return command.change.type === 'authenticate' ? undefined : checkAdmin(state, command.caller);
  }
  const grants = grantsOf(state, command.caller);
  if (grants instanceof EtcdError) return grants;
  switch (command.type) {
    case 'put':
      return denyUnless(allowsOp(grants, leases, command));
    case 'delete':
      return denyUnless(allowsOp(grants, leases, command));
    case 'txn':
      return denyUnless(allowsTxn(grants, leases, command.request));
    case 'lease-revoke':
      return denyUnless(mayWriteAll(grants, leases, command.id));
    case 'compact':
    case 'lease-grant':
      return undefined;
    default:
      return denyUnless(grants.isAdmin);
  }
}

export function checkRange(state: AuthState, caller: Caller | undefined, request: RangeRequest): Denied {
  const grants = grantsOf(state, caller);
  if (grants instanceof EtcdError) return grants;
  return denyUnless(grants.mayRead(request.key, request.rangeEnd));
}

/** Of a transaction that only reads; any other is checked as a command. */
export function checkTxn(
  state: AuthState,
  leases: Leases,
  caller: Caller | undefined,
  request: TxnRequest,
): Denied {
  const grants = grantsOf(state, caller);
  return grants instanceof EtcdError ? grants : denyUnless(allowsTxn(grants, leases, request));
}

/** The keys of a lease are told to who may read all of them. */
export function checkReadAll(
  state: AuthState,
  caller: Caller | undefined,
  keys: readonly Uint8Array[],
): Denied {
  const grants = grantsOf(state, caller);
  return grants instanceof EtcdError ? grants : denyUnless(keys.every((key) => grants.mayRead(key)));
}

export function checkUser(state: AuthState, caller: Caller | undefined): Denied {
  const grants = grantsOf(state, caller);
  return grants instanceof EtcdError ? grants : undefined;
}

export function checkAdmin(state: AuthState, caller: Caller | undefined): Denied {
  if (!state.enabled || caller?.type === 'trusted') return undefined;
  if (caller === undefined) return EtcdError.of('UserEmpty');
  return denyUnless(state.grants(caller.user)?.isAdmin === true);
}

/** Of a caller that is known as of now. */
function grantsOf(state: AuthState, caller: Caller | undefined): Grants | EtcdError {
  if (!state.enabled || caller?.type === 'trusted') return EVERYTHING;
  if (caller === undefined) return EtcdError.of('UserEmpty');
  if (caller.authRevision < state.revision) return EtcdError.of('AuthOldRevision');
  return state.grants(caller.user) ?? EtcdError.of('PermissionDenied');
}

/** Every branch, the one that will not be taken too, so that the answer tells nothing about keys. */
function allowsTxn(grants: Grants, leases: Leases, { compare, success, failure }: TxnRequest): boolean {
  return (
    compare.every(({ key, rangeEnd }) => grants.mayRead(key, rangeEnd)) &&
    success.every((op) => allowsOp(grants, leases, opOf(op))) &&
    failure.every((op) => allowsOp(grants, leases, opOf(op)))
  );
}

type Operation = Extract<Command, { readonly type: 'put' | 'delete' | 'txn' }>;
type Checked =
  | Operation
  | { readonly type: 'range'; readonly request: RangeRequest }
  | { readonly type: 'empty' };

function opOf(op: RequestOp): Checked {
  return op.type === 'empty' ? op : ({ type: op.type, request: op } as Checked);
}

/**
 * A put's lease may have keys that this user cannot write: who attaches another key to it could not revoke it, so it is
 * not allowed. Previous values are read.
 */
function allowsOp(grants: Grants, leases: Leases, op: Checked): boolean {
  switch (op.type) {
    case 'range':
      return grants.mayRead(op.request.key, op.request.rangeEnd);
    case 'put': {
      const { key, lease = 0n, prevKv = false } = op.request;
      const mayAttach = lease === 0n || mayWriteAll(grants, leases, lease);
      return grants.mayWrite(key) && mayAttach && (!prevKv || grants.mayRead(key));
    }
    case 'delete': {
      const { key, rangeEnd, prevKv = false } = op.request;
      return grants.mayWrite(key, rangeEnd) && (!prevKv || grants.mayRead(key, rangeEnd));
    }
    case 'txn':
      return allowsTxn(grants, leases, op.request);
    default:
      return true;
  }
}

function mayWriteAll(grants: Grants, leases: Leases, id: bigint): boolean {
  return grants.isAdmin || leases.keys(id).every((key) => grants.mayWrite(key));
}

function denyUnless(allowed: boolean): Denied {
  return allowed ? undefined : EtcdError.of('PermissionDenied');
}
