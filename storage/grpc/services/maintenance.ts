import type { MaintenanceService } from '../../server/api.js';
import { serverStream, unary, type Route } from '../server/handlers.js';
import { Maintenance } from '../services.js';

export function maintenanceRoutes(maintenance: MaintenanceService): Route[] {
  return [
    unary(Maintenance.Alarm, (request, context) => maintenance.alarm(request, context)),
    unary(Maintenance.Status, (_request, context) => maintenance.status(context)),
    unary(Maintenance.Defragment, (_request, context) => maintenance.defragment(context)),
    unary(Maintenance.Hash, (_request, context) => maintenance.hash(context)),
    unary(Maintenance.HashKV, (request, context) => maintenance.hashKv(request, context)),
    serverStream(Maintenance.Snapshot, (_request, context) => maintenance.snapshot(context)),
    unary(Maintenance.MoveLeader, (request, context) => maintenance.moveLeader(request, context)),
    unary(Maintenance.Downgrade, (request, context) => maintenance.downgrade(request, context)),
  ];
}
