/** How figures and times are written. */

export function rate(perSecond: number | undefined): string {
  if (perSecond === undefined) return '–';
  if (perSecond === 0) return '0';
  return perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond));
}

export function count(value: number | undefined): string {
  return value === undefined ? '–' : value.toLocaleString('en');
}

export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

/** The time of day, of the one who looks. */
export function clock(iso: string): string {
  return new Date(iso).toLocaleTimeString('en-GB');
}

export function day(iso: string): string {
  return new Date(iso).toISOString().slice(0, 10);
}

/** How much is left, in the unit that a person would take. */
export function left(days: number): string {
  if (days < 0) return 'expired';
  if (days >= 2) return `${Math.floor(days)} days`;
  const minutes = Math.floor(days * 1440);
  return minutes >= 120 ? `${Math.floor(minutes / 60)} hours` : `${minutes} minutes`;
}

export function ago(iso: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3600)} h ago`;
}
