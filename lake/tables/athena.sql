-- The lake as tables of Amazon Athena (engine 3), in a database of their own. Athena takes one
-- statement at a time; all of them may be run again.

-- One row for each line, as it stands in the lake. Its partitions are computed, not stored: nothing
-- has to be added when an hour begins. A line that is no JSON becomes a row of nulls, and a value
-- of another type than its column's a null, so that one oddity never stops a query.
create external table if not exists status_raw (
  event_key string,
  received_at string,
  waba_id string,
  phone_number_id string,
  display_phone_number string,
  contact struct<
    profile: struct<name: string, username: string>,
    wa_id: string, user_id: string, parent_user_id: string>,
  id string,
  status string,
  `timestamp` string,
  `type` string,
  recipient_id string,
  recipient_type string,
  recipient_user_id string,
  recipient_parent_user_id string,
  recipient_participant_id string,
  participant_recipient_id string,
  recipient_participant_user_id string,
  recipient_participant_parent_user_id string,
  recipient_identity_key_hash string,
  biz_opaque_callback_data string,
  conversation struct<id: string, expiration_timestamp: string, origin: struct<`type`: string>>,
  pricing struct<billable: boolean, pricing_model: string, category: string, `type`: string>,
  errors array<struct<
    code: int, title: string, message: string,
    error_data: struct<details: string>, href: string>>
)
partitioned by (dt string, hour int)
row format serde 'org.openx.data.jsonserde.JsonSerDe'
with serdeproperties (
  'case.insensitive' = 'false',
  'dots.in.keys' = 'false',
  'ignore.malformed.json' = 'true',
  'use.null.for.invalid.data' = 'true'
)
stored as inputformat 'org.apache.hadoop.mapred.TextInputFormat'
outputformat 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
location '{{location}}/statuses/'
tblproperties (
  'projection.enabled' = 'true',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = 'NOW-3YEARS,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS',
  'projection.hour.type' = 'integer',
  'projection.hour.range' = '0,23',
  'projection.hour.digits' = '2',
  'storage.location.template' = '{{location}}/statuses/dt=${dt}/hour=${hour}/'
);

-- One row for each line, with times (UTC) and the first error in columns of their own. `stage`
-- orders statuses by how far they got: they arrive in any order, and count in whole seconds. Where
-- WhatsApp gave no usable time, a status happened when it was received.
create or replace view status_line as
select
  event_key, id, phone_number_id, status,
  case status
    when 'sent' then 1 when 'failed' then 2 when 'delivered' then 3
    when 'read' then 4 when 'played' then 5 else 0
  end as stage,
  case
    when seconds between 1 and 32503679999
    then timestamp '1970-01-01 00:00:00' + seconds * interval '1' second
    else receipt
  end as happened_at,
  receipt as received_at,
  recipient_id, recipient_type, recipient_user_id,
  coalesce(recipient_participant_id, participant_recipient_id) as participant_id,
  recipient_participant_user_id as participant_user_id,
  biz_opaque_callback_data,
  conversation.id as conversation_id,
  conversation.origin.type as conversation_type,
  pricing.billable as billable,
  pricing.pricing_model as pricing_model,
  pricing.category as pricing_category,
  pricing.type as pricing_type,
  element_at(errors, 1).code as error_code,
  element_at(errors, 1).title as error_title,
  element_at(errors, 1).error_data.details as error_details,
  contact.profile.name as contact_name,
  waba_id, display_phone_number, dt, hour, object
from (
  select
    *,
    try_cast("timestamp" as bigint) as seconds,
    try_cast(substr(received_at, 1, 10) || ' ' || substr(received_at, 12, 12) as timestamp)
      as receipt,
    "$path" as object
  from status_raw
  where event_key is not null
);

-- Each status once, however often it stands in the lake; `copies` says how often. It reads the
-- whole lake: the ready queries do the same for a range of days.
create or replace view status as
select *
from (
  select
    *,
    count(*) over (partition by event_key) as copies,
    row_number() over (partition by event_key order by received_at, object) as copy
  from status_line
)
where copy = 1;

-- One row for each message: how far it got, and when. In a group, as far as with any participant.
create or replace view message as
select
  id, phone_number_id,
  max_by(status, stage * 1e11 + coalesce(to_unixtime(happened_at), 0)) as status,
  min(case when status = 'sent' then happened_at end) as sent_at,
  min(case when status = 'delivered' then happened_at end) as delivered_at,
  min(case when status = 'read' then happened_at end) as read_at,
  min(case when status = 'failed' then happened_at end) as failed_at,
  min(happened_at) as first_at,
  max(happened_at) as last_at,
  max(recipient_id) as recipient_id,
  count(distinct participant_id) as participant_count,
  max(biz_opaque_callback_data) as biz_opaque_callback_data,
  bool_or(billable) as billable,
  max(pricing_model) as pricing_model,
  max(pricing_category) as pricing_category,
  max(pricing_type) as pricing_type,
  max_by(error_code, happened_at) filter (where error_code is not null) as error_code,
  max_by(error_title, happened_at) filter (where error_code is not null) as error_title,
  max_by(error_details, happened_at) filter (where error_details is not null) as error_details
from status
group by id, phone_number_id;
