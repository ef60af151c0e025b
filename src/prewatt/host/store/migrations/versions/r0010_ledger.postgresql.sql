CREATE TABLE chain (
    number BIGINT NOT NULL,
    first_entry BIGINT NOT NULL,
    last_entry BIGINT NOT NULL,
    marks BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (number)
);
CREATE UNIQUE INDEX chain_by_last ON chain (last_entry);
CREATE TABLE closes (
    number BIGINT NOT NULL,
    until_s BIGINT NOT NULL,
    last_entry BIGINT NOT NULL,
    head BYTEA NOT NULL,
    actor VARCHAR(64) NOT NULL,
    at_s BIGINT NOT NULL,
    PRIMARY KEY (number)
);
CREATE UNIQUE INDEX closes_by_until ON closes (until_s);
CREATE TRIGGER chain_no_update BEFORE UPDATE ON chain FOR EACH ROW EXECUTE FUNCTION never_changed();
CREATE TRIGGER chain_no_delete BEFORE DELETE ON chain FOR EACH ROW EXECUTE FUNCTION never_changed();
CREATE TRIGGER chain_no_truncate BEFORE TRUNCATE ON chain FOR EACH STATEMENT EXECUTE FUNCTION never_changed();
CREATE TRIGGER closes_no_update BEFORE UPDATE ON closes FOR EACH ROW EXECUTE FUNCTION never_changed();
CREATE TRIGGER closes_no_delete BEFORE DELETE ON closes FOR EACH ROW EXECUTE FUNCTION never_changed();
CREATE TRIGGER closes_no_truncate BEFORE TRUNCATE ON closes FOR EACH STATEMENT EXECUTE FUNCTION never_changed();
