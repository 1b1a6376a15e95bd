/** What a server makes of itself, in this order. */
import { flowControlList } from './flow-control.js';
import type { BootstrapList } from './list.js';
import { priorityClassList } from './priority-classes.js';
import { rbacList } from './rbac.js';

export const bootstrapLists: readonly BootstrapList[] = [priorityClassList, rbacList, flowControlList];
