-- Dead letters: found without reading what stands beside them, and what an edit replaced.
-- Programs of versions 1 to 3 can work with it. They leave the rows of `replaced_body` behind
-- when they remove a delivery.

-- `dead list` pages by id, whatever else there is.
create index delivery_dead_idx on delivery (id) where state = 'dead';

-- Counts and ages by reason, for metrics and `status`. With `state`, although it is always the
-- same: without it SQLite reads the row for each.
create index delivery_reason_idx on delivery (reason, settled_at, state) where state = 'dead';

-- Bodies that `dead edit` replaced, each with the signatures that belonged to it. They go when the
-- delivery goes.
create table replaced_body (
  delivery_id        integer not null,
  number             integer not null,   -- 1: what was received; then in the order of the edits
  replaced_at        integer not null,
  system_user        text    not null,
  is_cut             integer not null,
  signature_256      text    not null,
  signature_1        text,
  secret_fingerprint text    not null,
  body               blob    not null
) strict;

create unique index replaced_body_idx on replaced_body (delivery_id, number);
