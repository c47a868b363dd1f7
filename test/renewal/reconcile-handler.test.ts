import { describe, expect, it } from '@jest/globals';
import { parseRenewalEvent } from '../../renewal/event.ts';
import { RECONCILE_EVENT } from '../../renewal/reconcile-handler.ts';

describe('the first export', () => {
  it('sends the renewal function what the daily schedule sends: all certificates of the mesh', () => {
    expect(parseRenewalEvent(RECONCILE_EVENT)).toEqual({
      event: { kind: 'reconcile' },
      certificateArns: 'all',
    });
  });
});
