import type { LockService } from '../../server/api.js';
import { unary, type Route } from '../server/handlers.js';
import { Lock } from '../services.js';

export function lockRoutes(lock: LockService): Route[] {
  return [
    unary(Lock.Lock, (request, context) => lock.lock(request, context)),
    unary(Lock.Unlock, (request, context) => lock.unlock(request, context)),
  ];
}
