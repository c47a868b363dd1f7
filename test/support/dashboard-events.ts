import { request } from 'undici';

const DEADLINE_MS = 30_000;

/** What was sent last under each name of an event, and all that was sent. */
export type ReadEvents = Record<string, unknown> & { readonly text: string };

/** Reads the stream of a dashboard until an event came so many times. */
export async function readEvents(url: string, name: string, times = 1): Promise<ReadEvents> {
  const { body } = await request(`${url}/events`, { signal: AbortSignal.timeout(DEADLINE_MS) });
  let text = '';
  for await (const chunk of body) {
    text += (chunk as Buffer).toString('utf8');
    const whole = text.slice(0, text.lastIndexOf('\n\n'));
    const events = [...whole.matchAll(/^event: (\w+)\ndata: (.*)$/gm)];
    if (events.filter(([, found]) => found === name).length < times) continue;
    body.destroy();
    const last = events.map(([, found = '', data = '']) => [found, JSON.parse(data) as unknown]);
    return { ...Object.fromEntries(last), text };
  }
  throw new Error(`expected the event ${name}, and the stream ended`);
}
