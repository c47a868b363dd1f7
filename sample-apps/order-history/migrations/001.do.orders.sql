-- What the order app writes, once; and of its payment what paybill writes, and nothing else: a grant on those columns says so.
CREATE TABLE orders (
  order_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  token VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  total_cents BIGINT UNSIGNED NOT NULL,
  currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  card_scheme VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  card_last_four CHAR(4) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at DATETIME(3) NOT NULL,
  payment_status ENUM('PAYING', 'PAID', 'DECLINED') CHARACTER SET ascii NULL,
  payment_attempt_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  payment_expires_at_ms BIGINT UNSIGNED NULL,
  payment_charge_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  payment_authorization VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  payment_masked_pan VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
  CONSTRAINT token_is_a_token CHECK (token LIKE 'tkn|_%' ESCAPE '|'),
  CONSTRAINT last_four_are_four CHECK (card_last_four REGEXP '^[0-9]{4}$'),
  CONSTRAINT pan_is_masked CHECK (payment_masked_pan REGEXP '^[*]*[0-9]{0,4}$')
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
