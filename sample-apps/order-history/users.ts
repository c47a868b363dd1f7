/**
 * The users of the database: each app is one, and may do its own part alone.
 *
 * @module
 */

export type OrderApp = 'order' | 'paybill';

/** By node of the mesh. */
export const DATABASE_USERS: Readonly<Record<OrderApp, string>> = {
  order: 'order_app',
  paybill: 'paybill_app',
};

/** How RDS knows a user: by a token of IAM, and by nothing else. */
export const BY_IAM = "WITH AWSAuthenticationPlugin AS 'RDS'";

/** The columns that paybill may write are those of the payment. */
const PAYMENT_COLUMNS = ['status', 'attempt_id', 'expires_at_ms', 'charge_id', 'authorization', 'masked_pan']
  .map((column) => `payment_${column}`)
  .join(', ');

/**
 * Makes the users and grants them their parts; those that are there stay. The tables have to be there.
 *
 * @param identifiedBy - What a user proves itself with, as `IDENTIFIED` wants it. Neither it nor the name of the
 *   database may come from outside: MySQL takes no parameters here.
 */
export function userStatements(database: string, identifiedBy: (app: OrderApp) => string): string[] {
  const { order, paybill } = DATABASE_USERS;
  const made = (Object.entries(DATABASE_USERS) as [OrderApp, string][]).map(
    ([app, name]) => `CREATE USER IF NOT EXISTS '${name}'@'%' IDENTIFIED ${identifiedBy(app)} REQUIRE SSL`,
  );
  return [
    ...made,
    `GRANT SELECT, INSERT ON ${database}.orders TO '${order}'@'%'`,
    `GRANT SELECT, INSERT ON ${database}.order_items TO '${order}'@'%'`,
    `GRANT SELECT, UPDATE (${PAYMENT_COLUMNS}) ON ${database}.orders TO '${paybill}'@'%'`,
  ];
}
