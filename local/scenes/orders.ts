/** Orders from outside, placed through the gateway while something is broken, and paid when it is over. */

import { setTimeout as sleep } from 'node:timers/promises';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { Agent } from 'undici';
import { accessToken, authenticationOf } from '../../operator/login.ts';
import { postTimed, type Answer } from './callers.ts';
import { teaPotFor } from '../traffic.ts';
import type { OwnMesh } from './own-mesh.ts';

/** Together longer than the half minute for which an attempt that was cut off holds its claim: sample-apps/paybill. */
const ATTEMPTS = 80;
const PAUSE_MS = 500;

export interface PlacedOrders {
  /** The ids that callers were given. */
  readonly placed: readonly string[];
  /** Places one more, with a card of the ledger. */
  readonly place: () => Promise<Answer>;
  readonly pay: (orderId: string) => Promise<Answer>;
}

export async function placeOrders({ state, aws, ledger, gatewayTrust }: OwnMesh): Promise<PlacedOrders> {
  const { token } = await accessToken(authenticationOf(state), aws);
  const dispatcher = new Agent({ connect: { ca: gatewayTrust } });
  const post = async (path: string, body: object): Promise<Answer> =>
    await postTimed(dispatcher, `${state.gatewayUrl}${path}`, body, { authorization: `Bearer ${token}` });
  const placed: string[] = [];
  const tokenOf = async (orderId: string): Promise<string | undefined> => {
    const found = await aws.dynamodb.send(
      new GetItemCommand({ TableName: state.tables.orders, Key: { orderId: { S: orderId } } }),
    );
    return found.Item?.['token']?.S;
  };
  return {
    placed,
    pay: async (orderId) => await post('/payments', { orderId }),
    async place() {
      const card = ledger.nextCard();
      const answer = await post('/orders', teaPotFor({ number: card }));
      const { orderId } = answer.document;
      if (answer.status !== 201 || typeof orderId !== 'string') {
        ledger.write(card, answer);
        return answer;
      }
      placed.push(orderId);
      // An order that was confirmed has a token, which the order app was given.
      ledger.write(card, { token: (await tokenOf(orderId)) ?? `of order ${orderId}` });
      return answer;
    },
  };
}

/** @returns What those were told last that cannot be paid, each asked for again as a shop does. */
export async function unpaidOf({ placed, pay }: PlacedOrders): Promise<string[]> {
  const unpaid: string[] = [];
  for (const orderId of placed) {
    const { status, code, document } = await payWithPatience(() => pay(orderId));
    if (document['status'] !== 'PAID') unpaid.push([status, code].join(' '));
  }
  return unpaid;
}

async function payWithPatience(pay: () => Promise<Answer>): Promise<Answer> {
  let answer = await pay();
  for (let turn = 1; turn < ATTEMPTS && answer.document['status'] !== 'PAID'; turn += 1) {
    await sleep(PAUSE_MS);
    answer = await pay();
  }
  return answer;
}
