/** A text that is searched, with what stands before it: the name of the JSON member whose value it is. */
export interface Searched {
  readonly text: string;
  readonly lead: string;
}

/** How far back a word still speaks of what follows. */
const REACH = 40;

/** Whether the words shortly before `start` match. */
export function saysBefore({ text, lead }: Searched, start: number, words: RegExp): boolean {
  const near = text.slice(Math.max(0, start - REACH), start);
  return words.test(start < REACH ? `${lead} ${near}` : near);
}

/** Words after which a number is of a trade: an order, a parcel, an article. */
export const TRADE_WORDS =
  /\b(?:order|tracking|parcel|shipment|invoice|ticket|case|ref|reference|serial|imei|iccid|isbn|ean|upc|gtin|sku|part|batch|lot|model|build|id)\b[^\n]{0,12}$/i;
