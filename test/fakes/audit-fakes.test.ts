import { describeAuditLog, describeAuditLogDown, describeAuditMac } from '../contracts/audit-log.contract.ts';
import { MemoryAuditLog } from './memory-audit-log.ts';
import { MemoryAuditMac } from './memory-audit-mac.ts';

describeAuditLog('the fake', () => {
  const log = new MemoryAuditLog();
  return { log, reader: log };
});
describeAuditLogDown('the fake', () => Object.assign(new MemoryAuditLog(), { isDown: true }));
describeAuditMac('the fake', () => new MemoryAuditMac());
