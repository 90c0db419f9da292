SET TimeZone = 'UTC';
SET preserve_insertion_order = false;

CREATE TABLE deliveries (name VARCHAR, line_count BIGINT);
CREATE TABLE quarantine (file VARCHAR, line BIGINT, reason VARCHAR);

-- Good rows, versions of one event included until latest.sql is done with them. `version_count` is how many rows an
-- event came in so far, in this run and in earlier ones.
CREATE TABLE events (
    event_id BIGINT,
    customer_id VARCHAR,
    type VARCHAR,
    happened BIGINT,
    received BIGINT,
    cents BIGINT,
    version_count BIGINT
);
