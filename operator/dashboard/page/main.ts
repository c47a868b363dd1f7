/**
 * The page: takes what the server sends, and shows it. It asks for nothing else, and stores nothing.
 *
 * @module
 */

import { h, render } from 'preact';
import type { ShownChecks, Snapshot } from '../snapshot.ts';
import { App, type Seen } from './app.ts';

const page = document.getElementById('page');
page?.replaceChildren();
let seen: Seen = { announced: '', now: Date.now() };

function show(news: Partial<Seen>): void {
  seen = { ...seen, ...news, now: Date.now() };
  if (page !== null) render(h(App, seen), page);
}

/** Rotations that were not there before, in words. */
function newsIn(snapshot: Snapshot): string {
  const before = seen.snapshot?.rotations;
  if (before === undefined) return seen.announced;
  const known = new Set(before.map(({ serial, role }) => serial + role));
  const fresh = snapshot.rotations.filter(({ serial, role }) => !known.has(serial + role));
  if (fresh.length === 0) return seen.announced;
  return fresh.map(({ node, role }) => `${node} rotated its ${role} certificate`).join('; ');
}

function checksNews({ checks }: ShownChecks): string {
  const failed = checks.filter(({ ok }) => !ok).length;
  const before = seen.checks?.checks.filter(({ ok }) => !ok).length ?? 0;
  if (failed === before) return seen.announced;
  return failed === 0 ? 'every check holds again' : `${failed} checks failed`;
}

const events = new EventSource('/events');
const on = (name: string, take: (data: string) => Partial<Seen>): void =>
  events.addEventListener(name, (event) => show(take((event as MessageEvent<string>).data)));

on('snapshot', (data) => {
  const snapshot = JSON.parse(data) as Snapshot;
  return { snapshot, trouble: undefined, announced: newsIn(snapshot) };
});
on('checks', (data) => {
  const checks = JSON.parse(data) as ShownChecks;
  return { checks, announced: checksNews(checks) };
});
on('trouble', (data) => ({ trouble: (JSON.parse(data) as { message: string }).message }));
events.addEventListener('error', () =>
  show({ trouble: 'The connection to the dashboard is lost; trying again.' }),
);

show({});
