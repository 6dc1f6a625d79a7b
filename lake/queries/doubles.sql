-- Statuses that stand in the lake more than once, by day and by who wrote them.
--
-- Parameters: first and last day of receipt (UTC), '2026-11-01' and '2026-11-30' say.
-- Each host writes a status once, so `hosts` above one is a webhook that WhatsApp sent to several
-- hosts, which is as it should be. `hosts` of one means the way through Firehose, which repeats.
-- `pipelinectl lake verify` looks for the same, and reads the objects' bytes too.
with counted as (
  select
    event_key,
    min(dt) as day,
    count(*) as copies,
    count(distinct regexp_extract(object, '([0-9a-f]{12})-[0-9]+-[0-9]+-[0-9a-f]{12}', 1)) as hosts
  from status_line
  where dt between ? and ?
  group by event_key
)
select day, hosts, copies, count(*) as statuses
from counted
where copies > 1
group by day, hosts, copies
order by day, hosts, copies
