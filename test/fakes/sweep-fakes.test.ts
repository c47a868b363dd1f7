import { describeSweepStore } from '../contracts/sweep-store.contract.ts';
import { MemorySweepStore } from './memory-sweep-store.ts';

const store = new MemorySweepStore();

describeSweepStore('the fake', {
  makeStore: () => store,
  add: async (token, expiresAt) => store.add(expiresAt, 'record', token),
});
