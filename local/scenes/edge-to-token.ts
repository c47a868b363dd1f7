/**
 * A card is encrypted at the edge, ordered with and paid, and no service on the way has it in the clear.
 *
 * @module
 */

import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { edgeSettings, encryptAtEdge } from '../../operator/edge.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import { marksIn } from '../../sidecar/tokenizer/core/marks/mark.ts';
import { searchForLeaks } from '../leaks.ts';
import { shopOf } from '../shop-of.ts';
import { post, teaPotFor } from '../traffic.ts';
import type { Scene } from './scene.ts';

const CARD = testCard('visa', 16);
const HOLDER = 'Zoraida Nobody';

export const edgeToToken: Scene = {
  title: 'a card that becomes a token with no service on the way having seen it',
  async play({ state, say }) {
    const order = teaPotFor({ number: CARD.number, holder: HOLDER });
    const body = encryptAtEdge(await edgeSettings(state), Buffer.from(JSON.stringify(order)));
    say(`the edge puts ${marksIn(body).length} marks in place of number, expiry and holder`);
    const shop = await shopOf(state);
    const placed = await post(shop, '/orders', 201, JSON.parse(body));
    say(`order ${String(placed['status'])} by its marks: what order knows of the card is ${cardOf(placed)}`);
    const { orderId } = placed;
    const paid = await post(shop, '/payments', 200, { orderId });
    say(`payment ${String(paid['status'])}: the processor got the card, ${cardOf(paid)}`);
    await shop.dispatcher.close();
    const { dynamodb } = emulatorClients(state.aws.endpointUrl, state.aws.region);
    const Key = { orderId: { S: String(orderId) } };
    const row = await dynamodb.send(new GetItemCommand({ TableName: state.tables.orders, Key }));
    const token = row.Item?.['token']?.S ?? '';
    say(`the order's row has ${token.startsWith('tkn_') ? 'a token' : 'no token'}, and no card`);
    const tables = Object.values(state.tables);
    const search = await searchForLeaks(state.directory, dynamodb, tables, [CARD.number, HOLDER]);
    say(
      `card and holder searched for in ${search.files} files and ${search.items} items: found in ${search.found.length}`,
    );
    const isCharged = cardOf(paid).endsWith(CARD.number.slice(-4));
    return isCharged && token.startsWith('tkn_') && search.found.length === 0;
  },
};

/** As an app tells it: in stars, but for what it knows. */
function cardOf(answer: Record<string, unknown>): string {
  const { masked, lastFour } = (answer['card'] ?? {}) as { masked?: string; lastFour?: string };
  return masked ?? lastFour ?? '';
}
