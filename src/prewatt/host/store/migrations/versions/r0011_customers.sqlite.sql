ALTER TABLE customers ADD COLUMN locale VARCHAR(8) DEFAULT 'en' NOT NULL;
ALTER TABLE customers ADD COLUMN phone VARCHAR(16) DEFAULT '' NOT NULL;
ALTER TABLE customers ADD COLUMN email VARCHAR(254) DEFAULT '' NOT NULL;
ALTER TABLE customers ADD COLUMN notices TEXT DEFAULT '' NOT NULL;
ALTER TABLE stations ADD COLUMN rating_va BIGINT DEFAULT 0 NOT NULL;
CREATE TABLE suppliers (
    id VARCHAR(64) NOT NULL,
    name TEXT NOT NULL,
    phone VARCHAR(16) DEFAULT '' NOT NULL,
    email VARCHAR(254) DEFAULT '' NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE agents (
    id VARCHAR(64) NOT NULL,
    name TEXT NOT NULL,
    phone VARCHAR(16) DEFAULT '' NOT NULL,
    email VARCHAR(254) DEFAULT '' NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE sought (
    kind VARCHAR(9) NOT NULL,
    id VARCHAR(64) NOT NULL,
    field VARCHAR(8) NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (kind, id, field),
    CONSTRAINT sought_kind CHECK (kind IN ('customers', 'premises', 'suppliers', 'agents', 'stations'))
);
CREATE INDEX sought_by_text ON sought (text);
CREATE TABLE tenancies (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    meter VARCHAR(6) NOT NULL,
    customer VARCHAR(64) NOT NULL,
    premises VARCHAR(64),
    from_s BIGINT NOT NULL,
    until_s BIGINT,
    CONSTRAINT tenancies_times CHECK (until_s IS NULL OR until_s >= from_s),
    FOREIGN KEY(meter) REFERENCES meters (id),
    FOREIGN KEY(customer) REFERENCES customers (id),
    FOREIGN KEY(premises) REFERENCES premises (id)
);
CREATE UNIQUE INDEX tenancies_open ON tenancies (meter) WHERE until_s IS NULL;
CREATE INDEX tenancies_by_meter ON tenancies (meter, number);
CREATE INDEX tenancies_by_customer ON tenancies (customer, number);
CREATE INDEX tenancies_by_premises ON tenancies (premises, number);
CREATE INDEX meters_by_customer ON meters (customer, id);
CREATE INDEX meters_by_premises ON meters (premises, id);
INSERT INTO tenancies (meter, customer, premises, from_s) SELECT id, customer, premises, made_s FROM meters WHERE customer IS NOT NULL ORDER BY id;
CREATE TRIGGER tenancies_no_update BEFORE UPDATE ON tenancies WHEN OLD.until_s IS NOT NULL OR NEW.until_s IS NULL OR NEW.number IS NOT OLD.number OR NEW.meter IS NOT OLD.meter OR NEW.customer IS NOT OLD.customer OR NEW.premises IS NOT OLD.premises OR NEW.from_s IS NOT OLD.from_s BEGIN SELECT RAISE(ABORT, 'tenancies: rows are never changed or removed'); END;
CREATE TRIGGER tenancies_no_delete BEFORE DELETE ON tenancies BEGIN SELECT RAISE(ABORT, 'tenancies: rows are never changed or removed'); END;
