import { DAY_MS } from '../../pki/certificate.ts';

export function daysUntil(timeMs: number): number {
  return (timeMs - Date.now()) / DAY_MS;
}
