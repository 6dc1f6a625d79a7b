-- What the example keeps. MySQL, MariaDB and SQLite alike.
CREATE TABLE webhook_delivery (
  id varchar(64) NOT NULL,          -- X-Delivery-Id
  replay int NOT NULL,              -- X-Delivery-Replay, 0 where there is none
  received_at datetime NOT NULL,
  PRIMARY KEY (id, replay)
);

CREATE TABLE webhook_event (
  delivery_id varchar(64) NOT NULL,
  replay int NOT NULL,
  field varchar(64) NOT NULL,
  message_id varchar(255),
  sender varchar(64),
  type varchar(32),
  content longtext NOT NULL
);
