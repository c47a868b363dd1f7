import { describeFieldSealer } from '../contracts/field-sealer.contract.ts';
import { describeTokenStore, describeTokenStoreDown } from '../contracts/token-store.contract.ts';
import { describeFingerprintIndex } from '../contracts/fingerprint-index.contract.ts';
import { MemoryFingerprintIndex } from './memory-fingerprints.ts';
import { describeJobStore } from '../contracts/job-store.contract.ts';
import { MemoryJobStore } from './memory-job-store.ts';
import { MemoryFieldSealer } from './memory-field-sealer.ts';
import { MemoryTokenStore } from './memory-token-store.ts';

describeTokenStore('the fake', () => new MemoryTokenStore());
describeTokenStoreDown('the fake', () => Object.assign(new MemoryTokenStore(), { isDown: true }));
describeFingerprintIndex('the fake', () => new MemoryFingerprintIndex());
describeJobStore('the fake', () => new MemoryJobStore());
describeFieldSealer('the fake', () => new MemoryFieldSealer(['shop', 'other']));
