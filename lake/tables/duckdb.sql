-- The lake as tables of DuckDB (1.2 or later). Everything here may be run again.

-- One row for each line, as it stands in the lake. A line that is no JSON becomes a row of nulls,
-- and a value of another type than its column's a null, so that one oddity never stops a query.
create or replace view status_raw as
select *
from read_json(
  '{{location}}/statuses/dt=*/hour=*/[!.]*',
  format = 'newline_delimited',
  ignore_errors = true,
  filename = 'object',
  hive_partitioning = true,
  hive_types = {'dt': varchar, 'hour': integer},
  columns = {
    'event_key': 'varchar',
    'received_at': 'varchar',
    'waba_id': 'varchar',
    'phone_number_id': 'varchar',
    'display_phone_number': 'varchar',
    'contact': 'struct(profile struct(name varchar, username varchar),
      wa_id varchar, user_id varchar, parent_user_id varchar)',
    'id': 'varchar',
    'status': 'varchar',
    'timestamp': 'varchar',
    'type': 'varchar',
    'recipient_id': 'varchar',
    'recipient_type': 'varchar',
    'recipient_user_id': 'varchar',
    'recipient_parent_user_id': 'varchar',
    'recipient_participant_id': 'varchar',
    'participant_recipient_id': 'varchar',
    'recipient_participant_user_id': 'varchar',
    'recipient_participant_parent_user_id': 'varchar',
    'recipient_identity_key_hash': 'varchar',
    'biz_opaque_callback_data': 'varchar',
    'conversation': 'struct(id varchar, expiration_timestamp varchar,
      origin struct("type" varchar))',
    'pricing': 'struct(billable boolean, pricing_model varchar, category varchar, "type" varchar)',
    'errors': 'struct(code integer, title varchar, message varchar,
      error_data struct(details varchar), href varchar)[]'
  }
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
  errors[1].code as error_code,
  errors[1].title as error_title,
  errors[1].error_data.details as error_details,
  contact.profile.name as contact_name,
  waba_id, display_phone_number, dt, hour, object
from (
  select
    *,
    try_cast("timestamp" as bigint) as seconds,
    try_cast(substr(received_at, 1, 10) || ' ' || substr(received_at, 12, 12) as timestamp)
      as receipt
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
  max_by(status, stage * 1e11 + coalesce(epoch(happened_at), 0)) as status,
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
