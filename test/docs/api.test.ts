import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { apiPage, type ApiDocument } from '../support/api-page.ts';
import { ROOT, textOf } from '../support/documents.ts';
import { startTokenizerUnderTest } from '../support/tokenizer-under-test.ts';

let page: string;
beforeAll(async () => {
  const tokenizer = await startTokenizerUnderTest();
  const answer = await tokenizer.send('order', { method: 'GET', url: '/openapi.json' });
  page = apiPage(answer.json<ApiDocument>());
  if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(join(ROOT, 'docs/api.md'), page);
});

describe('docs/api.md', () => {
  it('is what the OpenAPI document says', () => {
    expect(textOf('docs/api.md')).toBe(page);
  });
});
