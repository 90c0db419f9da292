CREATE TABLE segments AS SELECT customer_id, valid_from::DATE AS valid_from, segment FROM raw_customers;
CREATE TABLE customers AS SELECT DISTINCT customer_id FROM segments;
CREATE TABLE stores AS SELECT DISTINCT store_id, time_zone FROM raw_stores;

CREATE TABLE rates AS
SELECT currency, date::DATE AS day, (arg_max(eur_per_unit, line)::DECIMAL(18, 6) * 1000000)::BIGINT AS micros
FROM raw_rates
GROUP BY ALL
UNION ALL
SELECT 'EUR', DATE '0001-01-01', 1000000;

CREATE TABLE currencies AS
SELECT DISTINCT currency, CASE currency WHEN 'JPY' THEN 0 WHEN 'KWD' THEN 3 ELSE 2 END AS digits FROM rates;

DROP TABLE raw_customers;
DROP TABLE raw_stores;
DROP TABLE raw_rates;
