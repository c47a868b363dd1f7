import { describe, expect, it } from '@jest/globals';
import { panProblem, passesLuhn } from '../../../../sidecar/tokenizer/core/pan.ts';

describe('a card number', () => {
  it.each([
    ['Visa', '4111111111111111'],
    ['Visa of 13 digits', '4222222222222'],
    ['Visa of 19 digits', '4111111111111111110'],
    ['Mastercard', '5555555555554444'],
    ['Mastercard, 2-series', '2223003122003222'],
    ['American Express', '378282246310005'],
    ['Discover', '6011111111111117'],
    ['Diners Club', '30569309025904'],
    ['JCB', '3530111333300000'],
    ['UnionPay', '6200000000000005'],
    ['Maestro of 12 digits', '501800000009'],
  ])('is accepted: %s', (_, pan) => {
    expect(panProblem(pan)).toBeUndefined();
  });

  it.each([
    ['411111111111111', 'got 15 digits that fail the Luhn check'],
    ['4111111111111112', 'got 16 digits that fail the Luhn check'],
    ['42222222222', 'got 11 digits'],
    ['41111111111111111110', 'got 20 digits'],
    ['4111 1111 1111 1111', 'got 19 characters, 3 of them not digits'],
    ['', 'got 0 digits'],
    ['４１１１１１１１１１１１１１１１', 'got 16 characters, 16 of them not digits'],
  ])('is refused by its shape, with no digit of it shown: %s', (value, problem) => {
    expect(panProblem(value)).toBe(problem);
  });

  it('fails the Luhn check with any one digit changed', () => {
    const pan = '4111111111111111';
    for (const at of Array.from(pan).keys()) {
      for (const digit of '0123456789'.replace(pan.charAt(at), '')) {
        expect(passesLuhn(pan.slice(0, at) + digit + pan.slice(at + 1))).toBe(false);
      }
    }
  });
});
