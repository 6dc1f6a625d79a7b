-- What became of one message: its statuses in order, each once.
--
-- Parameters: first and last day of receipt (UTC), then the message's id ('wamid.…'). Statuses
-- come for days after a message: begin with the day it was sent, and do not end on it.
-- `pipelinectl lookup WAMID` answers the same from the queue and the lake, without a query engine.
with once as (
  select *
  from (
    select
      *,
      row_number() over (partition by event_key order by received_at, object) as copy,
      count(*) over (partition by event_key) as copies
    from status_line
    where dt between ? and ? and id = ?
  )
  where copy = 1
)
select
  happened_at,
  status,
  participant_id,
  pricing_category,
  billable,
  error_code,
  error_title,
  error_details,
  received_at,
  copies,
  object
from once
order by happened_at, stage, participant_id
