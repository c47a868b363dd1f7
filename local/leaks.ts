import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ScanCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';

export interface LeakSearch {
  readonly files: number;
  readonly items: number;
  /** Where a value was found; never the value. */
  readonly found: readonly string[];
}

/**
 * Searches every file under a folder, and every item of the tables, for values that must not be there, in any of
 * the forms of {@link formsOf}.
 */
export async function searchForLeaks(
  directory: string,
  dynamodb: DynamoDBClient,
  tables: readonly string[],
  values: readonly string[],
): Promise<LeakSearch> {
  const found: string[] = [];
  const holdsOne = leakFinder(values);
  const look = (place: string, text: string): void => {
    if (holdsOne(text)) found.push(place);
  };
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  for (const file of files) {
    const path = join(file.parentPath, file.name);
    look(path, await readFile(path, 'latin1'));
  }
  let items = 0;
  for (const table of tables) {
    for await (const item of scan(dynamodb, table)) {
      items += 1;
      look(`table ${table}`, textOf(item));
    }
  }
  return { files: files.length, items, found };
}

/** @returns Says of a text, of bytes as latin-1 too, whether one of the values is in it. */
export function leakFinder(values: readonly string[]): (text: string) => boolean {
  const forms = values.flatMap(formsOf);
  return (text) => {
    const joined = withoutSeparators(text);
    return forms.some((form) => text.includes(form)) || values.some((value) => joined.includes(value));
  };
}

/** As it is, as bytes of UTF-8, in hex, in base64 wherever it begins there, and as a part of a URL. */
export function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const hex = bytes.toString('hex');
  const percent = hex.replaceAll(/../g, '%$&');
  const base64 = [0, 1, 2].map((before) => base64Within(bytes, before));
  const urlSafe = base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'));
  return [
    ...new Set([
      ...[value, bytes.toString('latin1'), encodeURIComponent(value)],
      ...[hex, hex.toUpperCase(), percent, percent.toUpperCase()],
      ...[...base64, ...urlSafe],
    ]),
  ];
}

/** Of the letters of base64 (RFC 4648 section 4), those that no neighbour of the bytes has a part in. */
function base64Within(bytes: Buffer, bytesBefore: number): string {
  const letters = Buffer.concat([Buffer.alloc(bytesBefore), bytes]).toString('base64');
  const bits = (bytesBefore + bytes.length) * 8;
  return letters.slice(Math.ceil((bytesBefore * 8) / 6), Math.floor(bits / 6));
}

/** The same text with groups of digits joined, as a card number is written on a card. */
function withoutSeparators(text: string): string {
  return text.replaceAll(/(?<=\d)[ .-](?=\d)/g, '');
}

async function* scan(dynamodb: DynamoDBClient, table: string): AsyncGenerator {
  let start: Record<string, never> | undefined;
  do {
    const page = await dynamodb.send(new ScanCommand({ TableName: table, ExclusiveStartKey: start }));
    yield* page.Items ?? [];
    start = page.LastEvaluatedKey as Record<string, never> | undefined;
  } while (start !== undefined);
}

/** Everything of an item as text, its bytes as they are. */
export function textOf(item: unknown): string {
  return JSON.stringify(item, (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
  );
}
