CREATE TABLE rate_plans (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name VARCHAR(64) NOT NULL,
    version INTEGER NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER,
    document TEXT NOT NULL,
    digest BLOB NOT NULL,
    made_s BIGINT NOT NULL,
    CONSTRAINT rate_plans_once UNIQUE (name, version)
);
CREATE TABLE rate_assignments (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    meter VARCHAR(6),
    "plan" VARCHAR(64),
    from_day INTEGER NOT NULL,
    lifeline BOOLEAN NOT NULL,
    reason TEXT NOT NULL,
    made_s BIGINT NOT NULL,
    FOREIGN KEY(meter) REFERENCES meters (id)
);
CREATE INDEX rate_assignments_by_meter ON rate_assignments (meter, from_day);
CREATE TABLE rate_tariffs (
    tariff INTEGER NOT NULL,
    "plan" INTEGER NOT NULL,
    made_s BIGINT NOT NULL,
    PRIMARY KEY (tariff),
    FOREIGN KEY(tariff) REFERENCES tariffs (version),
    FOREIGN KEY("plan") REFERENCES rate_plans (number)
);
CREATE INDEX rate_tariffs_by_plan ON rate_tariffs ("plan", tariff);
CREATE TABLE rate_sales (
    order_id VARCHAR(64) NOT NULL,
    meter VARCHAR(6) NOT NULL,
    "plan" INTEGER NOT NULL,
    day INTEGER NOT NULL,
    month INTEGER NOT NULL,
    paid_micro BIGINT NOT NULL,
    value_micro BIGINT NOT NULL,
    energy_pulses BIGINT NOT NULL,
    entry_micro BIGINT NOT NULL,
    debt_micro BIGINT NOT NULL,
    periods INTEGER NOT NULL,
    per VARCHAR(5) NOT NULL,
    lifeline BOOLEAN NOT NULL,
    at_s BIGINT NOT NULL,
    PRIMARY KEY (order_id),
    CONSTRAINT rate_sales_per CHECK (per IN ('', 'day', 'month')),
    FOREIGN KEY(order_id) REFERENCES orders (id),
    FOREIGN KEY(meter) REFERENCES meters (id),
    FOREIGN KEY("plan") REFERENCES rate_plans (number)
);
CREATE INDEX rate_sales_by_month ON rate_sales (meter, month);
CREATE TABLE rate_lines (
    order_id VARCHAR(64) NOT NULL,
    place INTEGER NOT NULL,
    kind VARCHAR(9) NOT NULL,
    name VARCHAR(64) NOT NULL,
    account VARCHAR(96) NOT NULL,
    amount_micro BIGINT NOT NULL,
    PRIMARY KEY (order_id, place),
    CONSTRAINT rate_lines_amount CHECK (amount_micro <> 0),
    FOREIGN KEY(order_id) REFERENCES rate_sales (order_id)
);
CREATE TABLE rate_steps (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    meter VARCHAR(6) NOT NULL,
    order_id VARCHAR(64) NOT NULL,
    what VARCHAR(8) NOT NULL,
    unpaid_from INTEGER,
    at_s BIGINT NOT NULL,
    CONSTRAINT rate_steps_what CHECK (what IN ('sold', 'returned')),
    CONSTRAINT rate_steps_once UNIQUE (order_id, what),
    FOREIGN KEY(meter) REFERENCES meters (id),
    FOREIGN KEY(order_id) REFERENCES rate_sales (order_id)
);
CREATE INDEX rate_steps_by_meter ON rate_steps (meter, number);
CREATE TRIGGER rate_plans_no_update BEFORE UPDATE ON rate_plans BEGIN SELECT RAISE(ABORT, 'rate_plans: rows are never changed or removed'); END;
CREATE TRIGGER rate_plans_no_delete BEFORE DELETE ON rate_plans BEGIN SELECT RAISE(ABORT, 'rate_plans: rows are never changed or removed'); END;
CREATE TRIGGER rate_assignments_no_update BEFORE UPDATE ON rate_assignments BEGIN SELECT RAISE(ABORT, 'rate_assignments: rows are never changed or removed'); END;
CREATE TRIGGER rate_assignments_no_delete BEFORE DELETE ON rate_assignments BEGIN SELECT RAISE(ABORT, 'rate_assignments: rows are never changed or removed'); END;
CREATE TRIGGER rate_tariffs_no_update BEFORE UPDATE ON rate_tariffs BEGIN SELECT RAISE(ABORT, 'rate_tariffs: rows are never changed or removed'); END;
CREATE TRIGGER rate_tariffs_no_delete BEFORE DELETE ON rate_tariffs BEGIN SELECT RAISE(ABORT, 'rate_tariffs: rows are never changed or removed'); END;
CREATE TRIGGER rate_sales_no_update BEFORE UPDATE ON rate_sales BEGIN SELECT RAISE(ABORT, 'rate_sales: rows are never changed or removed'); END;
CREATE TRIGGER rate_sales_no_delete BEFORE DELETE ON rate_sales BEGIN SELECT RAISE(ABORT, 'rate_sales: rows are never changed or removed'); END;
CREATE TRIGGER rate_lines_no_update BEFORE UPDATE ON rate_lines BEGIN SELECT RAISE(ABORT, 'rate_lines: rows are never changed or removed'); END;
CREATE TRIGGER rate_lines_no_delete BEFORE DELETE ON rate_lines BEGIN SELECT RAISE(ABORT, 'rate_lines: rows are never changed or removed'); END;
CREATE TRIGGER rate_steps_no_update BEFORE UPDATE ON rate_steps BEGIN SELECT RAISE(ABORT, 'rate_steps: rows are never changed or removed'); END;
CREATE TRIGGER rate_steps_no_delete BEFORE DELETE ON rate_steps BEGIN SELECT RAISE(ABORT, 'rate_steps: rows are never changed or removed'); END;
