-- Orders that count: returned ones do not.
DROP TABLE IF EXISTS paid_orders;
CREATE TABLE paid_orders AS SELECT id, customer, CAST(amount AS INTEGER) AS amount FROM orders WHERE state = 'paid';
