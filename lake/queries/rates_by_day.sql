-- How many messages were delivered, read and failed, by the day of their first status.
--
-- Parameters: first and last day of receipt (UTC), '2026-11-01' and '2026-11-30' say. Statuses
-- that stand in the lake twice change nothing here: what counts is each message.
-- A message counts as delivered when it was delivered, read or played: WhatsApp may leave a step
-- out. `read` is a lower bound, since people can switch receipts off. In a group it is enough that
-- one participant got that far. Give the last days time: their messages are still on the way.
with per_message as (
  select
    min(happened_at) as first_at,
    bool_or(stage >= 3) as is_delivered,
    bool_or(stage >= 4) as is_read,
    bool_or(stage = 2) and not bool_or(stage >= 3) as is_failed
  from status_line
  where dt between ? and ?
  group by phone_number_id, id
)
select
  cast(first_at as date) as day,
  count(*) as messages,
  count(*) filter (where is_delivered) as delivered,
  count(*) filter (where is_read) as read,
  count(*) filter (where is_failed) as failed,
  round(1e2 * count(*) filter (where is_delivered) / count(*), 1) as delivered_percent,
  round(1e2 * count(*) filter (where is_read) / count(*), 1) as read_percent
from per_message
group by cast(first_at as date)
order by day
