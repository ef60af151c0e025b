ALTER TABLE audit_log ADD COLUMN origin TEXT DEFAULT '' NOT NULL;
ALTER TABLE audit_log ADD COLUMN before TEXT;
ALTER TABLE audit_log ADD COLUMN after TEXT;
ALTER TABLE audit_log ADD COLUMN hash BLOB DEFAULT x'' NOT NULL;
CREATE INDEX audit_log_by_actor ON audit_log (actor, number);
CREATE INDEX audit_log_by_time ON audit_log (at_s, number);
CREATE TABLE log_tail (
    name VARCHAR(4) NOT NULL,
    number BIGINT NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (name),
    CONSTRAINT log_tail_one CHECK (name = 'tail')
);
INSERT INTO log_tail (name, number, hash) VALUES ('tail', 0, x'');
CREATE TABLE users (
    name VARCHAR(64) NOT NULL,
    roles TEXT NOT NULL,
    password TEXT,
    totp BLOB,
    totp_step BIGINT NOT NULL,
    disabled BOOLEAN NOT NULL,
    made_s BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE tokens (
    id VARCHAR(12) NOT NULL,
    holder VARCHAR(64) NOT NULL,
    digest BLOB NOT NULL,
    label TEXT NOT NULL,
    scopes TEXT NOT NULL,
    made_s BIGINT NOT NULL,
    expires_s BIGINT,
    revoked_s BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(holder) REFERENCES users (name)
);
CREATE INDEX tokens_by_holder ON tokens (holder);
CREATE TABLE lockouts (
    kind VARCHAR(6) NOT NULL,
    name TEXT NOT NULL,
    wrong INTEGER NOT NULL,
    until_s BIGINT NOT NULL,
    last_s BIGINT NOT NULL,
    PRIMARY KEY (kind, name),
    CONSTRAINT lockouts_kind CHECK (kind IN ('user', 'origin'))
);
CREATE INDEX lockouts_by_time ON lockouts (last_s);
CREATE TABLE staff_limits (
    name VARCHAR(16) NOT NULL,
    amount_micro BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE approvals (
    id VARCHAR(16) NOT NULL,
    call VARCHAR(64) NOT NULL,
    arguments TEXT NOT NULL,
    digest BLOB NOT NULL,
    asked_by VARCHAR(64) NOT NULL,
    asked_from TEXT NOT NULL,
    asked_s BIGINT NOT NULL,
    expires_s BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX approvals_by_time ON approvals (asked_s);
CREATE TABLE approval_ends (
    id VARCHAR(16) NOT NULL,
    state VARCHAR(9) NOT NULL,
    decided_by VARCHAR(64) NOT NULL,
    decided_s BIGINT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(id) REFERENCES approvals (id),
    CONSTRAINT approval_ends_state CHECK (state IN ('done', 'withdrawn'))
);
CREATE TRIGGER approvals_no_update BEFORE UPDATE ON approvals BEGIN SELECT RAISE(ABORT, 'approvals: rows are never changed or removed'); END;
CREATE TRIGGER approvals_no_delete BEFORE DELETE ON approvals BEGIN SELECT RAISE(ABORT, 'approvals: rows are never changed or removed'); END;
CREATE TRIGGER approval_ends_no_update BEFORE UPDATE ON approval_ends BEGIN SELECT RAISE(ABORT, 'approval_ends: rows are never changed or removed'); END;
CREATE TRIGGER approval_ends_no_delete BEFORE DELETE ON approval_ends BEGIN SELECT RAISE(ABORT, 'approval_ends: rows are never changed or removed'); END;
