import type { EdgeSettings } from './config.ts';

/** What is encrypted of an order, as the gateway takes it: what the sample app has of a card. */
export const ORDER_ROUTES: EdgeSettings['routes'] = [
  {
    methods: ['POST'],
    path: '/orders',
    fields: [
      { name: 'card.number', class: 'pan' },
      { name: 'card.expiry', class: 'expiry' },
      { name: 'card.holder', class: 'name' },
    ],
  },
];
