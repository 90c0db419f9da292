CREATE OR REPLACE TEMP TABLE checked AS
WITH split AS (
    SELECT line, string_split(text, ',') AS cells FROM lines
),
named AS (
    SELECT
        line,
        len(cells) AS width,
        <event_id> AS event_id,
        coalesce(<customer_id>, <user_id>) AS customer_id,
        <store_id> AS store_id,
        <type> AS type,
        <currency> AS currency,
        <occurred_at> AS occurred_at,
        <occurred_local> AS occurred_local,
        <received_at> AS received_at,
        <amount_minor> AS amount_minor,
        <amount> AS amount
    FROM split
),
joined AS (
    SELECT
        named.*,
        customers.customer_id IS NOT NULL AS customer_known,
        time_zone,
        digits,
        type <> 'view' AS paid,
        CASE
            WHEN occurred_local IS NOT NULL
                THEN CASE WHEN regexp_full_match(occurred_local, '\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d')
                    THEN try_cast(occurred_local AS TIMESTAMP) END
        END AS shown,
        CASE
            WHEN regexp_full_match(occurred_at, '\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(Z|[+-](0\d|1[0-4]):[0-5]\d)')
                THEN try_cast(occurred_at AS TIMESTAMPTZ)
        END AS moment,
        CASE
            WHEN regexp_full_match(received_at, '\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\dZ')
                THEN try_cast(received_at AS TIMESTAMPTZ)
        END AS received,
        CASE
            WHEN amount_minor IS NOT NULL
                THEN CASE WHEN regexp_full_match(amount_minor, '\d{1,9}') THEN amount_minor::BIGINT END
            WHEN regexp_full_match(amount, '\d{1,7}(\.\d{1,3})?')
                AND length(split_part(amount, '.', 2)) <= digits
                THEN (amount::DECIMAL(12, 3) * 1000)::BIGINT * (10 ** digits)::BIGINT // 1000
        END AS minor,
        coalesce(amount_minor, amount) AS amount_text
    FROM named
    LEFT JOIN customers USING (customer_id)
    LEFT JOIN stores USING (store_id)
    LEFT JOIN currencies USING (currency)
),
timed AS (
    -- A clock that skipped the hour would show another one, so the way back tells. Of two moments DuckDB takes the
    -- later or the earlier one: an hour before shows the same only where there are two, and then it is the first.
    SELECT
        *,
        CASE
            WHEN shown IS NULL THEN moment
            WHEN timezone(time_zone, timezone(time_zone, shown) - INTERVAL 1 HOUR) = shown
                THEN timezone(time_zone, shown) - INTERVAL 1 HOUR
            WHEN timezone(time_zone, timezone(time_zone, shown)) = shown THEN timezone(time_zone, shown)
        END AS happened
    FROM joined
)
SELECT
    line,
    event_id,
    customer_id,
    type,
    currency,
    epoch(happened)::BIGINT AS happened,
    epoch(received)::BIGINT AS received,
    CASE WHEN paid THEN minor END AS minor,
    digits,
    CASE
        WHEN list_contains(getvariable('not_utf8'), line) THEN 'not_utf8'
        WHEN width <> <width> THEN 'field_count'
        WHEN NOT regexp_full_match(event_id, '[1-9]\d{0,17}') THEN 'bad_event_id'
        WHEN NOT customer_known THEN 'unknown_customer'
        WHEN time_zone IS NULL THEN 'unknown_store'
        WHEN type NOT IN ('view', 'purchase', 'refund') THEN 'bad_type'
        WHEN happened IS NULL OR received IS NULL THEN 'bad_time'
        WHEN paid AND digits IS NULL THEN 'unknown_currency'
        WHEN paid AND minor IS NULL AND amount_text <> '' THEN 'bad_amount'
    END AS reason
FROM timed;

INSERT INTO quarantine
SELECT getvariable('delivery'), line, reason FROM checked WHERE reason IS NOT NULL;

INSERT INTO events
SELECT
    event_id::BIGINT,
    customer_id,
    type,
    happened,
    received,
    (minor * micros + (10 ** (digits + 4))::BIGINT // 2) // (10 ** (digits + 4))::BIGINT,
    1
FROM (SELECT *, make_timestamp(happened * 1000000)::DATE AS day FROM checked WHERE reason IS NULL) AS good
ASOF LEFT JOIN rates ON good.currency = rates.currency AND good.day >= rates.day;

DROP TABLE checked;
