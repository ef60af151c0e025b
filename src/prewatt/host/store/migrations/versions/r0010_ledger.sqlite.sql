CREATE TABLE chain (
    number INTEGER NOT NULL,
    first_entry BIGINT NOT NULL,
    last_entry BIGINT NOT NULL,
    marks BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (number)
);
CREATE UNIQUE INDEX chain_by_last ON chain (last_entry);
CREATE TABLE closes (
    number INTEGER NOT NULL,
    until_s BIGINT NOT NULL,
    last_entry BIGINT NOT NULL,
    head BLOB NOT NULL,
    actor VARCHAR(64) NOT NULL,
    at_s BIGINT NOT NULL,
    PRIMARY KEY (number)
);
CREATE UNIQUE INDEX closes_by_until ON closes (until_s);
CREATE TRIGGER chain_no_update BEFORE UPDATE ON chain BEGIN SELECT RAISE(ABORT, 'chain: rows are never changed or removed'); END;
CREATE TRIGGER chain_no_delete BEFORE DELETE ON chain BEGIN SELECT RAISE(ABORT, 'chain: rows are never changed or removed'); END;
CREATE TRIGGER closes_no_update BEFORE UPDATE ON closes BEGIN SELECT RAISE(ABORT, 'closes: rows are never changed or removed'); END;
CREATE TRIGGER closes_no_delete BEFORE DELETE ON closes BEGIN SELECT RAISE(ABORT, 'closes: rows are never changed or removed'); END;
