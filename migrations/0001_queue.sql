-- The queue of the webhook pipeline: one log, two consumers, and what they make of it.
-- Times *_at are milliseconds since the Unix epoch unless the name says seconds.

-- Identity of this file and the versions that can work with it. One row.
create table queue (
  one                       integer not null primary key,
  queue_id                  text    not null,  -- made once per file: names lake objects
  created_at                integer not null,
  schema_version            integer not null,
  schema_version_compatible integer not null,  -- the oldest program that can work with it
  constraint queue_has_one_row check (one = 1),
  constraint queue_id_is_hex check (length(queue_id) = 12)
) strict;

-- The log: one row per webhook, appended by ingest, read by both consumers, deleted behind them.
-- AUTOINCREMENT: an emptied table must never hand out an id that a cursor has passed.
-- No other index: a random key beside each row costs four to eight times the insert.
create table webhook (
  id                 integer not null primary key autoincrement,
  received_at        integer not null,
  signature_256      text    not null,   -- the header as it came, "sha256=..."
  signature_1        text,
  secret_fingerprint text    not null,   -- which app secret matched
  user_agent         text,
  content_type       text,
  remote_address     text    not null,
  body               blob    not null
) strict;

-- Where each consumer stands: it has read every webhook up to and including the cursor.
create table consumer (
  name   text    not null primary key,
  cursor integer not null,
  constraint consumer_is_known check (name in ('lake', 'forward'))
) strict, without rowid;

insert into consumer (name, cursor) values ('lake', 0), ('forward', 0);

-- The books. A counter changes in the transaction that moves what it counts; purging never changes
-- one.
create table counter (
  name  text    not null primary key,
  value integer not null
) strict, without rowid;

-- Event keys that were met, to tell doubles. Clustered by the event's own time, so that inserts
-- stay at the right edge and expiry deletes a range. A key belongs to the first webhook that held
-- it: one that a crashed run left behind is met again by the same webhook, and is no double.
create table seen (
  event_seconds integer not null,        -- 0: no usable time, expires by received_at
  digest        blob    not null,        -- 16 bytes of SHA-256
  consumer      integer not null,        -- 0 lake, 1 forward
  webhook_id    integer not null,
  received_at   integer,                 -- only where event_seconds is 0
  primary key (event_seconds, digest, consumer),
  constraint seen_can_expire check ((event_seconds = 0) = (received_at is not null))
) strict, without rowid;

-- Sealed batches: statuses that became one object of the lake. Kept after shipping, to verify the
-- lake by.
create table lake_batch (
  id               integer not null primary key autoincrement,
  object_name      text    not null,
  sha256           text    not null,
  byte_count       integer not null,
  line_count       integer not null,
  first_webhook_id integer not null,
  last_webhook_id  integer not null,
  sealed_at        integer not null,
  shipped_at       integer,
  constraint batch_is_named_once unique (object_name),
  constraint batch_has_lines check (line_count > 0),
  constraint batch_ids_are_ordered check (first_webhook_id <= last_webhook_id)
) strict;

create index lake_batch_unshipped_idx on lake_batch (id) where shipped_at is null;

-- Deliveries: bodies on their way to PHP.
--
--     accept ─▶ waiting ──────────▶ delivered ──▶ purged
--                ▲   │ refused, spent    │ replay
--                │   ▼                   │
--                │  dead ──▶ discarded   │
--                └───┴───────────────────┘
--
-- `due_at` is set only on a delivery that stands first in all of its conversations, so claiming
-- reads one index however many wait.
create table delivery (
  id                 integer not null primary key autoincrement,
  key                text    not null,   -- X-Delivery-Id
  webhook_id         integer not null,
  part               integer not null,
  received_at        integer not null,
  conversations      text    not null,   -- one a line; several only with FORWARD_SPLIT=webhook
  field              text    not null,
  phone_number_id    text,
  event_count        integer not null,
  is_cut             integer not null,   -- 1: not the bytes WhatsApp sent, signed anew
  signature_256      text    not null,
  signature_1        text,
  secret_fingerprint text    not null,
  user_agent         text,
  content_type       text,
  remote_address     text    not null,
  byte_count         integer not null,
  state              text    not null,
  position           integer,            -- its turn in its conversations
  blocked_count      integer not null default 0,
  due_at             integer,
  attempt_count      integer not null default 0,  -- spent of the budget since the last replay
  refusal_count      integer not null default 0,
  attempt_total      integer not null default 0,  -- all ever made
  replay_count       integer not null default 0,
  age_started        integer,            -- the breaker's closed time, in ms, at the first failure
  settled_at         integer,
  reason             text,
  reason_status      integer,
  constraint delivery_state_is_known check (state in ('waiting', 'delivered', 'dead')),
  constraint delivery_waiting_has_turn check ((state = 'waiting') = (position is not null)),
  constraint delivery_waiting_is_open check ((state = 'waiting') = (settled_at is null)),
  constraint delivery_dead_has_reason check ((state = 'dead') = (reason is not null)),
  constraint delivery_head_is_due
    check ((due_at is not null) = (state = 'waiting' and blocked_count = 0)),
  constraint delivery_blocked_is_counted check (blocked_count >= 0)
) strict;

create index delivery_due_idx on delivery (due_at) where due_at is not null;
create index delivery_settled_idx on delivery (state, settled_at) where state <> 'waiting';

-- Apart from `delivery`, so that an attempt does not write a body of 3 MB again.
create table delivery_body (
  delivery_id integer not null primary key,
  body        blob    not null
) strict;

-- Whose turn it is: the waiting deliveries of each conversation, in order.
create table place (
  conversation text    not null,
  position     integer not null,
  delivery_id  integer not null,
  primary key (conversation, position)
) strict, without rowid;

create table attempt (
  delivery_id integer not null,
  number      integer not null,
  started_at  integer not null,
  duration_ms integer not null,
  result      text    not null,          -- answered, timeout, connection refused ...
  status      integer,
  answer      blob,                      -- its first 2 KiB
  is_spent    integer not null,
  primary key (delivery_id, number)
) strict, without rowid;

-- What people did to deliveries, with time and system user.
create table audit (
  id          integer not null primary key autoincrement,
  at          integer not null,
  system_user text    not null,
  act         text    not null,
  delivery_id integer,
  note        text
) strict;

create view dead_letter as select * from delivery where state = 'dead';
