import { rolloverRecordsContract } from '../../contracts/rollover-records.contract.ts';
import { MemoryRecords } from '../../fakes/memory-rollover.ts';

rolloverRecordsContract(async () => new MemoryRecords());
