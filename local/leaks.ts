import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ScanCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';

export interface LeakSearch {
  readonly files: number;
  readonly items: number;
  /** Where a number was found; never the number. */
  readonly found: readonly string[];
}

/** Searches every file under a folder, and every item of the tables, for numbers that must not be there. */
export async function searchForLeaks(
  directory: string,
  dynamodb: DynamoDBClient,
  tables: readonly string[],
  numbers: readonly string[],
): Promise<LeakSearch> {
  const found: string[] = [];
  const look = (place: string, text: string): void => {
    const joined = withoutSeparators(text);
    if (numbers.some((number) => text.includes(number) || joined.includes(number))) found.push(place);
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
function textOf(item: unknown): string {
  return JSON.stringify(item, (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
  );
}
