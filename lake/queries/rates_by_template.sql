-- How many messages were delivered, read and failed, by template.
--
-- Parameters: first and last day of receipt (UTC), '2026-11-01' and '2026-11-30' say. Statuses
-- that stand in the lake twice change nothing here: what counts is each message.
-- WhatsApp's statuses do not name the template. They repeat what the sender put into
-- `biz_opaque_callback_data`: put the template's name there, and this is a report by template.
-- Messages sent without it are told apart by their pricing category only; `named_by` says which.
with per_message as (
  select
    max(biz_opaque_callback_data) as tag,
    max(pricing_category) as category,
    bool_or(stage >= 3) as is_delivered,
    bool_or(stage >= 4) as is_read,
    bool_or(stage = 2) and not bool_or(stage >= 3) as is_failed
  from status_line
  where dt between ? and ?
  group by phone_number_id, id
), named as (
  select
    *,
    coalesce(tag, category, 'unknown') as template,
    case
      when tag is not null then 'biz_opaque_callback_data'
      when category is not null then 'pricing category'
      else 'nothing'
    end as named_by
  from per_message
)
select
  template,
  named_by,
  count(*) as messages,
  count(*) filter (where is_delivered) as delivered,
  count(*) filter (where is_read) as read,
  count(*) filter (where is_failed) as failed,
  round(1e2 * count(*) filter (where is_delivered) / count(*), 1) as delivered_percent,
  round(1e2 * count(*) filter (where is_read) / count(*), 1) as read_percent
from named
group by template, named_by
order by messages desc, template
