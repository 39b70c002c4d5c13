-- What each customer has paid.
DROP TABLE IF EXISTS totals;
CREATE TABLE totals AS
SELECT c.name, c.city, SUM(o.amount) AS total FROM customers c JOIN paid_orders o ON o.customer = c.id GROUP BY c.id;
