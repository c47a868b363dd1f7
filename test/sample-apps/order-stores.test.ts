import { orderStoreContract } from '../contracts/order-store.contract.ts';
import { paymentStoreContract } from '../contracts/payment-store.contract.ts';
import { MemoryOrderTable } from '../fakes/memory-order-table.ts';

const table = new MemoryOrderTable();

orderStoreContract('in memory', () => table.orders);
paymentStoreContract('in memory', () => table);
