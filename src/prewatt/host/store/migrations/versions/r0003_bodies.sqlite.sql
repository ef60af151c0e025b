ALTER TABLE books ADD COLUMN body VARCHAR(13) DEFAULT 'new' NOT NULL;
ALTER TABLE standings DROP COLUMN events_seen;
CREATE TABLE bodies (
    meter VARCHAR(6) NOT NULL,
    epoch INTEGER NOT NULL,
    kind VARCHAR(7) NOT NULL,
    reason TEXT NOT NULL,
    made_s BIGINT NOT NULL,
    to_meter VARCHAR(6),
    order_id VARCHAR(64),
    moved_micro BIGINT,
    moved_s BIGINT,
    lost_micro BIGINT NOT NULL,
    signed_micro BIGINT NOT NULL,
    voided_micro BIGINT NOT NULL,
    unreported_micro BIGINT NOT NULL,
    PRIMARY KEY (meter, epoch),
    CONSTRAINT bodies_kind CHECK (kind IN ('retired', 'lost')),
    FOREIGN KEY(meter) REFERENCES meters (id)
);
CREATE TABLE sign_overs (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    meter VARCHAR(6) NOT NULL,
    epoch INTEGER NOT NULL,
    lot VARCHAR(64) NOT NULL,
    amount_micro BIGINT NOT NULL,
    target VARCHAR(9) NOT NULL,
    name VARCHAR(64) NOT NULL,
    order_id VARCHAR(64),
    cause TEXT NOT NULL,
    at_s BIGINT NOT NULL,
    CONSTRAINT sign_overs_target CHECK (target IN ('meter', 'refund', 'write off')),
    CONSTRAINT sign_overs_once UNIQUE (meter, epoch, lot),
    FOREIGN KEY(meter) REFERENCES meters (id)
);
CREATE TABLE matches (
    meter VARCHAR(6) NOT NULL,
    sequence BIGINT NOT NULL,
    order_id VARCHAR(64) NOT NULL,
    at_s BIGINT NOT NULL,
    PRIMARY KEY (meter, sequence),
    UNIQUE (order_id),
    FOREIGN KEY(meter) REFERENCES meters (id),
    FOREIGN KEY(order_id) REFERENCES orders (id)
);
CREATE TRIGGER sign_overs_no_update BEFORE UPDATE ON sign_overs BEGIN SELECT RAISE(ABORT, 'sign_overs: rows are never changed or removed'); END;
CREATE TRIGGER sign_overs_no_delete BEFORE DELETE ON sign_overs BEGIN SELECT RAISE(ABORT, 'sign_overs: rows are never changed or removed'); END;
CREATE TRIGGER matches_no_update BEFORE UPDATE ON matches BEGIN SELECT RAISE(ABORT, 'matches: rows are never changed or removed'); END;
CREATE TRIGGER matches_no_delete BEFORE DELETE ON matches BEGIN SELECT RAISE(ABORT, 'matches: rows are never changed or removed'); END;
