import { describeFieldSealer } from '../contracts/field-sealer.contract.ts';
import { describeTokenStore, describeTokenStoreDown } from '../contracts/token-store.contract.ts';
import { describeFingerprintIndex } from '../contracts/fingerprint-index.contract.ts';
import { MemoryFingerprintIndex } from './memory-fingerprints.ts';
import { describeJobStore } from '../contracts/job-store.contract.ts';
import {
  describeIdempotencyStore,
  describeIdempotencyStoreDown,
} from '../contracts/idempotency-store.contract.ts';
import { MemoryIdempotencyStore } from './memory-idempotency-store.ts';
import { MemoryJobStore } from './memory-job-store.ts';
import { describeReferenceStore, describeReferenceStoreDown } from '../contracts/reference-store.contract.ts';
import { MemoryReferenceStore } from './memory-reference-store.ts';
import { MemoryFieldSealer } from './memory-field-sealer.ts';
import { describeResealStore, describeRewrapAsks } from '../contracts/rewrapping.contract.ts';
import { MemoryResealStore, MemoryRewrapAsks, MemorySealedRows } from './memory-rewrapping.ts';
import { MemoryTokenStore } from './memory-token-store.ts';

describeTokenStore('the fake', () => new MemoryTokenStore());
describeTokenStoreDown('the fake', () => Object.assign(new MemoryTokenStore(), { isDown: true }));
describeFingerprintIndex('the fake', () => new MemoryFingerprintIndex());
describeJobStore('the fake', () => new MemoryJobStore());
describeIdempotencyStore('the fake', () => new MemoryIdempotencyStore());
describeIdempotencyStoreDown('the fake', () => Object.assign(new MemoryIdempotencyStore(), { isDown: true }));
describeFieldSealer('the fake', () => new MemoryFieldSealer(['shop', 'other']));
describeReferenceStore('the fake', () => {
  const store = new MemoryTokenStore();
  return { store, references: new MemoryReferenceStore(store) };
});
describeReferenceStoreDown(
  'the fake',
  () => new MemoryReferenceStore(Object.assign(new MemoryTokenStore(), { isDown: true })),
);
describeResealStore('the fake', () => {
  const store = new MemoryTokenStore();
  return { store, reseal: new MemoryResealStore(store), rows: new MemorySealedRows(store) };
});
describeRewrapAsks('the fake', () => new MemoryRewrapAsks());
