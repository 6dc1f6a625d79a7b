-- What WhatsApp charges for: messages by month, pricing category and type.
--
-- Parameters: first and last day of receipt (UTC), '2026-11-01' and '2026-11-30' say. Statuses
-- that stand in the lake twice change nothing here: what counts is each message.
-- The webhooks say whether a message is billable and in which category; they name no amount.
-- Multiply `charged` by Meta's rate for the recipient's country. Meta charges for delivered
-- messages, hence `charged`: billable, and delivered or further. 'none': no pricing was sent.
with per_message as (
  select
    min(happened_at) as first_at,
    coalesce(max(pricing_category), 'none') as category,
    coalesce(max(pricing_type), 'none') as type,
    coalesce(max(pricing_model), 'none') as model,
    coalesce(bool_or(billable), false) as is_billable,
    bool_or(stage >= 3) as is_delivered
  from status_line
  where dt between ? and ?
  group by phone_number_id, id
)
select
  cast(date_trunc('month', first_at) as date) as month,
  category,
  type,
  model,
  count(*) as messages,
  count(*) filter (where is_billable) as billable,
  count(*) filter (where is_billable and is_delivered) as charged
from per_message
group by cast(date_trunc('month', first_at) as date), category, type, model
order by month, category, type, model
