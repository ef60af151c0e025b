CREATE TABLE campaigns (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id VARCHAR(64) NOT NULL,
    kind VARCHAR(8) NOT NULL,
    scope VARCHAR(8) NOT NULL,
    place VARCHAR(64) NOT NULL,
    what TEXT NOT NULL,
    state VARCHAR(9) NOT NULL,
    start_s BIGINT NOT NULL,
    until_s BIGINT,
    hour_from INTEGER NOT NULL,
    hour_to INTEGER NOT NULL,
    per_minute INTEGER NOT NULL,
    per_station INTEGER NOT NULL,
    made_s BIGINT NOT NULL,
    begun_s BIGINT,
    ended_s BIGINT,
    CONSTRAINT campaigns_kind CHECK (kind IN ('tariff', 'key', 'clock', 'text', 'program')),
    CONSTRAINT campaigns_scope CHECK (scope IN ('meter', 'station', 'area', 'all')),
    CONSTRAINT campaigns_state CHECK (state IN ('scheduled', 'running', 'paused', 'done', 'cancelled', 'ended')),
    UNIQUE (id)
);
CREATE INDEX campaigns_by_state ON campaigns (state, number);
CREATE TABLE campaign_meters (
    campaign INTEGER NOT NULL,
    meter VARCHAR(6) NOT NULL,
    state VARCHAR(9) NOT NULL,
    step VARCHAR(10) NOT NULL,
    control INTEGER,
    asks BOOLEAN NOT NULL,
    due_s BIGINT NOT NULL,
    sent_s BIGINT,
    settled_s BIGINT,
    reason TEXT NOT NULL,
    PRIMARY KEY (campaign, meter),
    CONSTRAINT campaign_meters_state CHECK (state IN ('waiting', 'sent', 'confirmed', 'refused', 'dropped', 'cancelled', 'ended')),
    FOREIGN KEY(campaign) REFERENCES campaigns (number),
    FOREIGN KEY(meter) REFERENCES meters (id)
);
CREATE INDEX campaign_meters_open ON campaign_meters (campaign, state, meter);
CREATE INDEX campaign_meters_by_meter ON campaign_meters (meter, state);
CREATE INDEX campaign_meters_by_control ON campaign_meters (control);
CREATE INDEX campaign_meters_by_sent ON campaign_meters (campaign, sent_s);
CREATE TABLE programs (
    version BIGINT NOT NULL,
    size_bytes INTEGER NOT NULL,
    digest BLOB NOT NULL,
    signature BLOB NOT NULL,
    maker BLOB NOT NULL,
    image BLOB NOT NULL,
    made_s BIGINT NOT NULL,
    PRIMARY KEY (version)
);
CREATE TABLE wanted_settings (
    meter VARCHAR(6) NOT NULL,
    name VARCHAR(32) NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (meter, name),
    FOREIGN KEY(meter) REFERENCES meters (id)
);
ALTER TABLE meters ADD COLUMN program BIGINT;
ALTER TABLE tariffs ADD COLUMN everywhere BOOLEAN NOT NULL DEFAULT 1;
CREATE TRIGGER programs_no_update BEFORE UPDATE ON programs BEGIN SELECT RAISE(ABORT, 'programs: rows are never changed or removed'); END;
CREATE TRIGGER programs_no_delete BEFORE DELETE ON programs BEGIN SELECT RAISE(ABORT, 'programs: rows are never changed or removed'); END;
