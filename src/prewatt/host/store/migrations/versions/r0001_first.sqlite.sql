-- The first format of the database, for SQLite. Frozen: changes are further revisions.

CREATE TABLE accounts (
    id VARCHAR(96) NOT NULL,
    debits_micro BIGINT NOT NULL,
    credits_micro BIGINT NOT NULL,
    debits_pending_micro BIGINT NOT NULL,
    credits_pending_micro BIGINT NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE areas (
    id VARCHAR(64) NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE audit_log (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at_s BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
);

CREATE TABLE customers (
    id VARCHAR(64) NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE installation (
    one INTEGER NOT NULL,
    id VARCHAR(32) NOT NULL,
    name TEXT NOT NULL,
    currency VARCHAR(3) NOT NULL,
    currency_digits INTEGER NOT NULL,
    zone TEXT NOT NULL,
    meters_ceiling INTEGER NOT NULL,
    vend_ceiling_micro BIGINT NOT NULL,
    made_s BIGINT NOT NULL,
    PRIMARY KEY (one),
    CONSTRAINT installation_one CHECK (one = 1)
);

CREATE TABLE mark (
    one INTEGER NOT NULL,
    generation BIGINT NOT NULL,
    commits BIGINT NOT NULL,
    PRIMARY KEY (one),
    CONSTRAINT mark_one CHECK (one = 1)
);

CREATE TABLE premises (
    id VARCHAR(64) NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE tariffs (
    version INTEGER NOT NULL,
    unit_price_micro BIGINT NOT NULL,
    mode_table BLOB NOT NULL,
    digest BLOB NOT NULL,
    valid_from_s BIGINT NOT NULL,
    made_s BIGINT NOT NULL,
    PRIMARY KEY (version)
);

CREATE TABLE entries (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id VARCHAR(96) NOT NULL,
    phase VARCHAR(7) NOT NULL,
    debit VARCHAR(96) NOT NULL,
    credit VARCHAR(96) NOT NULL,
    amount_micro BIGINT NOT NULL,
    pending_id VARCHAR(96),
    cause TEXT NOT NULL,
    reference VARCHAR(64) NOT NULL,
    at_s BIGINT NOT NULL,
    CONSTRAINT entries_amount CHECK (amount_micro > 0),
    CONSTRAINT entries_phase CHECK (phase IN ('single', 'pending', 'post', 'void')),
    CONSTRAINT entries_two_accounts CHECK (debit <> credit),
    UNIQUE (id),
    FOREIGN KEY(debit) REFERENCES accounts (id),
    FOREIGN KEY(credit) REFERENCES accounts (id)
);
CREATE UNIQUE INDEX entries_one_end ON entries (pending_id);

CREATE TABLE stations (
    id VARCHAR(64) NOT NULL,
    area VARCHAR(64) NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(area) REFERENCES areas (id)
);

CREATE TABLE meters (
    id VARCHAR(6) NOT NULL,
    station VARCHAR(64) NOT NULL,
    m_id INTEGER NOT NULL,
    suite VARCHAR(16) NOT NULL,
    account VARCHAR(8) NOT NULL,
    reason TEXT,
    customer VARCHAR(64),
    premises VARCHAR(64),
    tariff INTEGER,
    made_s BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT meters_m_id_byte CHECK (m_id BETWEEN 0 AND 255),
    CONSTRAINT meters_account CHECK (account IN ('open', 'blocked', 'closed')),
    CONSTRAINT meters_m_id UNIQUE (station, m_id),
    FOREIGN KEY(station) REFERENCES stations (id),
    FOREIGN KEY(customer) REFERENCES customers (id),
    FOREIGN KEY(premises) REFERENCES premises (id),
    FOREIGN KEY(tariff) REFERENCES tariffs (version)
);

CREATE TABLE alarms (
    meter VARCHAR(6) NOT NULL,
    counter BIGINT NOT NULL,
    time_s BIGINT NOT NULL,
    event INTEGER NOT NULL,
    detail BLOB NOT NULL,
    at_s BIGINT NOT NULL,
    PRIMARY KEY (meter, counter),
    FOREIGN KEY(meter) REFERENCES meters (id)
);

CREATE TABLE books (
    meter VARCHAR(6) NOT NULL,
    book BLOB NOT NULL,
    epoch_highest INTEGER NOT NULL,
    synced BOOLEAN NOT NULL,
    frozen TEXT,
    reconciling BOOLEAN NOT NULL,
    live BOOLEAN NOT NULL,
    work BOOLEAN NOT NULL,
    PRIMARY KEY (meter),
    FOREIGN KEY(meter) REFERENCES meters (id)
);

CREATE TABLE controls (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    meter VARCHAR(6) NOT NULL,
    rank INTEGER NOT NULL,
    code INTEGER NOT NULL,
    what TEXT NOT NULL,
    digest BLOB NOT NULL,
    state VARCHAR(9) NOT NULL,
    made_s BIGINT NOT NULL,
    settled_s BIGINT,
    CONSTRAINT controls_state CHECK (state IN ('waiting', 'done', 'refused', 'dropped')),
    FOREIGN KEY(meter) REFERENCES meters (id)
);
CREATE INDEX controls_waiting ON controls (state, meter);

CREATE TABLE counter_books (
    meter VARCHAR(6) NOT NULL,
    kind VARCHAR(8) NOT NULL,
    book BLOB NOT NULL,
    PRIMARY KEY (meter, kind),
    FOREIGN KEY(meter) REFERENCES meters (id)
);

CREATE TABLE day_logs (
    meter VARCHAR(6) NOT NULL,
    day INTEGER NOT NULL,
    first_minute INTEGER NOT NULL,
    day_start_s BIGINT NOT NULL,
    minutes INTEGER NOT NULL,
    packing INTEGER NOT NULL,
    log BLOB NOT NULL,
    ends BOOLEAN NOT NULL,
    PRIMARY KEY (meter, day, first_minute),
    FOREIGN KEY(meter) REFERENCES meters (id)
);

CREATE TABLE events (
    meter VARCHAR(6) NOT NULL,
    epoch INTEGER NOT NULL,
    number BIGINT NOT NULL,
    time_s BIGINT NOT NULL,
    code INTEGER NOT NULL,
    detail BLOB NOT NULL,
    at_s BIGINT NOT NULL,
    PRIMARY KEY (meter, epoch, number),
    FOREIGN KEY(meter) REFERENCES meters (id)
);

CREATE TABLE meter_keys (
    meter VARCHAR(6) NOT NULL,
    key_set INTEGER NOT NULL,
    state VARCHAR(9) NOT NULL,
    PRIMARY KEY (meter, key_set),
    CONSTRAINT meter_keys_byte CHECK (key_set BETWEEN 0 AND 255),
    CONSTRAINT meter_keys_state CHECK (state IN ('confirmed', 'sent', 'gone')),
    FOREIGN KEY(meter) REFERENCES meters (id)
);

CREATE TABLE orders (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id VARCHAR(64) NOT NULL,
    meter VARCHAR(6) NOT NULL,
    amount_micro BIGINT NOT NULL,
    tag BLOB NOT NULL,
    step VARCHAR(12) NOT NULL,
    place VARCHAR(9) NOT NULL,
    moves INTEGER NOT NULL,
    sequence BIGINT,
    made_s BIGINT NOT NULL,
    settled_s BIGINT,
    CONSTRAINT orders_step CHECK (step IN ('waiting', 'sent', 'refused', 'cancelling', 'lost', 'confirmed', 'cancelled', 'signed over')),
    CONSTRAINT orders_place CHECK (place IN ('wallet', 'transit', 'delivered', 'lost', 'refunded')),
    CONSTRAINT orders_sequence UNIQUE (meter, sequence),
    CONSTRAINT orders_tag UNIQUE (meter, tag),
    UNIQUE (id),
    FOREIGN KEY(meter) REFERENCES meters (id)
);
CREATE INDEX orders_by_meter ON orders (meter, number);
CREATE INDEX orders_by_step ON orders (step, number);

CREATE TABLE record_file (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    meter VARCHAR(6) NOT NULL,
    sequence BIGINT,
    tag BLOB,
    amount_micro BIGINT NOT NULL,
    what VARCHAR(16) NOT NULL,
    order_id VARCHAR(64),
    receipt BLOB NOT NULL,
    at_s BIGINT NOT NULL,
    CONSTRAINT record_file_holder UNIQUE (meter, sequence),
    FOREIGN KEY(meter) REFERENCES meters (id)
);

CREATE TABLE reports (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    meter VARCHAR(6) NOT NULL,
    epoch INTEGER NOT NULL,
    last_sequence BIGINT NOT NULL,
    balance_micro BIGINT NOT NULL,
    svm_micro BIGINT NOT NULL,
    tank_micro BIGINT NOT NULL,
    exchanger_micro BIGINT NOT NULL,
    received_micro BIGINT NOT NULL,
    burned_micro BIGINT NOT NULL,
    returned_micro BIGINT NOT NULL,
    owed_micro BIGINT NOT NULL,
    unit_price_micro BIGINT NOT NULL,
    table_digest BLOB NOT NULL,
    relay_causes INTEGER NOT NULL,
    total_pulses BIGINT NOT NULL,
    registers TEXT NOT NULL,
    timer_s BIGINT NOT NULL,
    at_s BIGINT NOT NULL,
    FOREIGN KEY(meter) REFERENCES meters (id)
);
CREATE INDEX reports_by_meter ON reports (meter, number);

CREATE TABLE wishes (
    meter VARCHAR(6) NOT NULL,
    counter BIGINT NOT NULL,
    amount_micro BIGINT NOT NULL,
    at_s BIGINT NOT NULL,
    PRIMARY KEY (meter, counter),
    FOREIGN KEY(meter) REFERENCES meters (id)
);

CREATE TABLE payments (
    authorization VARCHAR(64) NOT NULL,
    order_id VARCHAR(64) NOT NULL,
    method VARCHAR(16) NOT NULL,
    amount_micro BIGINT NOT NULL,
    at_s BIGINT NOT NULL,
    PRIMARY KEY (authorization),
    UNIQUE (order_id),
    FOREIGN KEY(order_id) REFERENCES orders (id)
);

CREATE TABLE standings (
    meter VARCHAR(6) NOT NULL,
    report INTEGER,
    balance_micro BIGINT NOT NULL,
    last_sequence BIGINT NOT NULL,
    at_s BIGINT NOT NULL,
    day_next INTEGER NOT NULL,
    events_acknowledged BIGINT NOT NULL,
    events_seen BIGINT NOT NULL,
    PRIMARY KEY (meter),
    FOREIGN KEY(meter) REFERENCES meters (id),
    FOREIGN KEY(report) REFERENCES reports (number)
);

CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries: rows are never changed or removed'); END;
CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries: rows are never changed or removed'); END;
CREATE TRIGGER record_file_no_update BEFORE UPDATE ON record_file BEGIN SELECT RAISE(ABORT, 'record_file: rows are never changed or removed'); END;
CREATE TRIGGER record_file_no_delete BEFORE DELETE ON record_file BEGIN SELECT RAISE(ABORT, 'record_file: rows are never changed or removed'); END;
CREATE TRIGGER reports_no_update BEFORE UPDATE ON reports BEGIN SELECT RAISE(ABORT, 'reports: rows are never changed or removed'); END;
CREATE TRIGGER reports_no_delete BEFORE DELETE ON reports BEGIN SELECT RAISE(ABORT, 'reports: rows are never changed or removed'); END;
CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events: rows are never changed or removed'); END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events: rows are never changed or removed'); END;
CREATE TRIGGER alarms_no_update BEFORE UPDATE ON alarms BEGIN SELECT RAISE(ABORT, 'alarms: rows are never changed or removed'); END;
CREATE TRIGGER alarms_no_delete BEFORE DELETE ON alarms BEGIN SELECT RAISE(ABORT, 'alarms: rows are never changed or removed'); END;
CREATE TRIGGER wishes_no_update BEFORE UPDATE ON wishes BEGIN SELECT RAISE(ABORT, 'wishes: rows are never changed or removed'); END;
CREATE TRIGGER wishes_no_delete BEFORE DELETE ON wishes BEGIN SELECT RAISE(ABORT, 'wishes: rows are never changed or removed'); END;
CREATE TRIGGER payments_no_update BEFORE UPDATE ON payments BEGIN SELECT RAISE(ABORT, 'payments: rows are never changed or removed'); END;
CREATE TRIGGER payments_no_delete BEFORE DELETE ON payments BEGIN SELECT RAISE(ABORT, 'payments: rows are never changed or removed'); END;
CREATE TRIGGER tariffs_no_update BEFORE UPDATE ON tariffs BEGIN SELECT RAISE(ABORT, 'tariffs: rows are never changed or removed'); END;
CREATE TRIGGER tariffs_no_delete BEFORE DELETE ON tariffs BEGIN SELECT RAISE(ABORT, 'tariffs: rows are never changed or removed'); END;
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log: rows are never changed or removed'); END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log: rows are never changed or removed'); END;
