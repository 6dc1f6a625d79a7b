-- Why messages failed: WhatsApp's error codes, the most frequent first.
--
-- Parameters: first and last day of receipt (UTC), '2026-11-01' and '2026-11-30' say.
-- Counts each failed status once, so a group message counts once for each participant it failed
-- for. A status that names several errors counts under the first.
with once as (
  select *
  from (
    select *, row_number() over (partition by event_key order by received_at, object) as copy
    from status_line
    where dt between ? and ?
  )
  where copy = 1
)
select
  error_code,
  max(error_title) as title,
  max(error_details) as details,
  count(*) as failures,
  count(distinct id) as messages,
  min(happened_at) as first_at,
  max(happened_at) as last_at
from once
where status = 'failed'
group by error_code
order by failures desc, error_code
