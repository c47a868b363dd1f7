/**
 * A short name for each AWS region: the IATA code of an airport of its place, as AWS names its own
 * points of presence. `TOKENMESH_REGION_CODE` overrides it, and names a region that is not here.
 */
export const REGION_CODES: Readonly<Record<string, string>> = {
  'af-south-1': 'CPT',
  'ap-east-1': 'HKG',
  'ap-east-2': 'TPE',
  'ap-northeast-1': 'NRT',
  'ap-northeast-2': 'ICN',
  'ap-northeast-3': 'KIX',
  'ap-south-1': 'BOM',
  'ap-south-2': 'HYD',
  'ap-southeast-1': 'SIN',
  'ap-southeast-2': 'SYD',
  'ap-southeast-3': 'CGK',
  'ap-southeast-4': 'MEL',
  'ap-southeast-5': 'KUL',
  'ap-southeast-6': 'AKL',
  'ap-southeast-7': 'BKK',
  'ca-central-1': 'YUL',
  'ca-west-1': 'YYC',
  'eu-central-1': 'FRA',
  'eu-central-2': 'ZRH',
  'eu-north-1': 'ARN',
  'eu-south-1': 'MXP',
  'eu-south-2': 'ZAZ',
  'eu-west-1': 'DUB',
  'eu-west-2': 'LHR',
  'eu-west-3': 'CDG',
  'il-central-1': 'TLV',
  'me-central-1': 'DXB',
  'me-south-1': 'BAH',
  'mx-central-1': 'QRO',
  'sa-east-1': 'GRU',
  'us-east-1': 'IAD',
  'us-east-2': 'CMH',
  'us-gov-east-1': 'OSU',
  'us-gov-west-1': 'PDT',
  'us-west-1': 'SFO',
  'us-west-2': 'PDX',
};

/** @throws {RangeError} for a region that has none. */
export function regionCodeOf(region: string): string {
  const code = REGION_CODES[region];
  if (code === undefined)
    throw new RangeError(`no code for the region "${region}": expected one of REGION_CODES`);
  return code;
}
