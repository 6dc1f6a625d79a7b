-- How far a batch has got into a lake without names: Firehose takes lines, and each request that it
-- took whole is noted here, so that a crash repeats one request and not the batch.
--
-- Compatible from 1: a program that does not know the column never names it, and ships by objects.

alter table lake_batch add column sent_line_count integer not null default 0;
