/** An order's id: a random UUID in lower case (RFC 9562 section 5.4). */
export const ORDER_ID_PATTERN = '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$';

/** The id of no order (RFC 9562 section 5.9): reading it shows that the table answers. */
export const NIL_ORDER_ID = '00000000-0000-0000-0000-000000000000';
