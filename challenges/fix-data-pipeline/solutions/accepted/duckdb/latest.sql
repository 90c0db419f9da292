-- Of each event the version that was received last.
CREATE TABLE kept AS
SELECT
    event_id,
    arg_max(customer_id, received) AS customer_id,
    arg_max(type, received) AS type,
    arg_max(happened, received) AS happened,
    max(received) AS received,
    arg_max_null(cents, received) AS cents,
    sum(version_count)::BIGINT AS version_count
FROM events
GROUP BY event_id;

DROP TABLE events;
ALTER TABLE kept RENAME TO events;

CREATE VIEW totals AS
SELECT
    (SELECT count(*) FROM deliveries),
    (SELECT sum(line_count)::BIGINT FROM deliveries),
    (SELECT count(*) FROM quarantine),
    (SELECT coalesce(sum(version_count) - count(*), 0)::BIGINT FROM events),
    (SELECT count(*) FROM events);
