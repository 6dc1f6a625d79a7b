-- Several destinations for deliveries, by the operator's routes. Additive: a program that knows the
-- schema before works on, and sends everything to its one destination.

-- The name of a route's destination; '' is FORWARD_URL, and what a name means when it is gone.
alter table delivery add column destination text not null default '';

-- Each destination claims from its own stretch, so one that is down costs the others nothing.
drop index delivery_due_idx;
create index delivery_due_idx on delivery (destination, due_at) where due_at is not null;

-- Names that deliveries may carry, and how long the breaker of each has been closed: the clock by
-- which its deliveries age. That of '' is the counter closed_time_ms.
create table destination (
  name           text    not null primary key,
  closed_time_ms integer not null
) strict, without rowid;
