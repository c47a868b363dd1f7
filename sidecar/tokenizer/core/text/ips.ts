import { isIP } from 'node:net';
import type { Finding } from './finding.ts';
import type { Searched } from './surroundings.ts';

const V4 = /(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)/g;

/** The longest way to write one is 45 characters. */
const V6 = /(?<![\w:.])[0-9A-Fa-f:]{2,45}(?:\.\d{1,3}){0,3}(?![\w:]|\.\w)/g;

/** After these, four numbers with dots between them count versions or chapters. */
const VERSION_WORDS =
  /(?:\bversion|\bver\.?|\brelease|\bbuild|\bfirmware|\bsection|\bchapter|\bclause|§|\brev\.?)[ :=]*v?$/i;

/** IP addresses of either version. */
export function findIps({ text }: Searched): Finding[] {
  const v4 = [...text.matchAll(V4)].filter(
    ({ 0: found, index }) => isIP(found) === 4 && !isVersion(text, index, found),
  );
  const v6 = [...text.matchAll(V6)].filter(
    ({ 0: found }) => isIP(found) === 6 && /\d/.test(found) && found !== '::',
  );
  return [...v4, ...v6].map(({ 0: value, index: start }) => ({
    class: 'ip' as const,
    start,
    end: start + value.length,
    confidence: 0.9,
    value,
  }));
}

/** `Chrome/120.0.0.0` is a product; `host/10.0.0.1:443` has a port and is not. */
function isVersion(text: string, start: number, found: string): boolean {
  const before = text.slice(Math.max(0, start - 16), start);
  if (VERSION_WORDS.test(before)) return true;
  return /[A-Za-z]\/$/.test(before) && !/^:\d/.test(text.slice(start + found.length));
}
