WITH cutoff AS (
    SELECT epoch(getvariable('as_of')::TIMESTAMP)::BIGINT AS cutoff,
        (SELECT max(substr(name, 8, 10)::DATE) FROM deliveries) >= getvariable('as_of') + 7 AS label_known
),
people AS (
    SELECT customer_id, arg_max(segment, valid_from) AS segment
    FROM segments
    WHERE valid_from <= getvariable('as_of')
    GROUP BY customer_id
),
behaviour AS (
    SELECT
        customer_id,
        count(*) FILTER (recent AND type = 'purchase') AS purchases,
        sum(cents) FILTER (recent AND type = 'purchase')::BIGINT AS spend,
        count(cents) FILTER (recent AND type = 'purchase') AS known,
        count(*) FILTER (recent AND type = 'refund') AS refunds,
        sum(cents) FILTER (recent AND type = 'refund')::BIGINT AS refunded,
        count(*) FILTER (recent AND type = 'view' AND happened >= cutoff - 7 * 86400) AS views,
        count(DISTINCT happened // 86400) FILTER (recent) AS days,
        max(happened) FILTER (type = 'purchase' AND happened < cutoff) AS last_purchase,
        count(*) FILTER (type = 'purchase' AND happened >= cutoff AND happened < cutoff + 7 * 86400) AS bought_after
    FROM (SELECT *, happened >= cutoff - 28 * 86400 AND happened < cutoff AS recent FROM events, cutoff) AS events
    GROUP BY customer_id
)
SELECT
    customer_id,
    segment,
    coalesce(purchases, 0) AS purchases_28d,
    CASE WHEN coalesce(purchases, 0) = 0 THEN '0.00'
        ELSE (spend // 100) || '.' || lpad((spend % 100)::VARCHAR, 2, '0') END AS spend_28d_eur,
    CASE WHEN known > 0
        THEN ((2 * spend + known) // (2 * known) // 100)
            || '.' || lpad(((2 * spend + known) // (2 * known) % 100)::VARCHAR, 2, '0') END AS avg_order_28d_eur,
    CASE WHEN coalesce(refunds, 0) = 0 THEN '0.00'
        ELSE (refunded // 100) || '.' || lpad((refunded % 100)::VARCHAR, 2, '0') END AS refunds_28d_eur,
    coalesce(views, 0) AS views_7d,
    coalesce(days, 0) AS active_days_28d,
    strftime(make_timestamp(last_purchase * 1000000), '%Y-%m-%dT%H:%M:%SZ') AS last_purchase_at,
    CASE WHEN label_known THEN (coalesce(bought_after, 0) > 0)::INTEGER END AS label
FROM people
LEFT JOIN behaviour USING (customer_id)
CROSS JOIN cutoff
ORDER BY customer_id;
