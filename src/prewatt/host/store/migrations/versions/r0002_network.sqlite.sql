-- Addresses, kinds of meters, polling, coverage and the health of boxes, for SQLite.

ALTER TABLE areas ADD COLUMN number INTEGER NOT NULL DEFAULT 0 CONSTRAINT areas_number_byte CHECK (number BETWEEN 0 AND 255);
ALTER TABLE areas ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE stations ADD COLUMN number INTEGER NOT NULL DEFAULT 0 CONSTRAINT stations_number_byte CHECK (number BETWEEN 0 AND 255);
ALTER TABLE stations ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE stations ADD COLUMN line VARCHAR(32) NOT NULL DEFAULT '';
ALTER TABLE meters ADD COLUMN kind VARCHAR(8) NOT NULL DEFAULT 'home' CONSTRAINT meters_kind CHECK (kind IN ('home', 'ct'));
ALTER TABLE standings ADD COLUMN read_s BIGINT NOT NULL DEFAULT 0;
ALTER TABLE standings ADD COLUMN polled_s BIGINT NOT NULL DEFAULT 0;

CREATE TABLE polling (
    scope VARCHAR(64) NOT NULL,
    schedule TEXT,
    hours TEXT,
    per_minute INTEGER,
    PRIMARY KEY (scope)
);
INSERT INTO polling (scope, schedule, hours, per_minute) VALUES ('', 'every 6h', '00-24', 0);

CREATE TABLE boxes (
    station VARCHAR(64) NOT NULL,
    heard_s BIGINT NOT NULL,
    boots BIGINT NOT NULL,
    members_version BIGINT NOT NULL,
    plan_version BIGINT NOT NULL,
    waiting BIGINT NOT NULL,
    dropped BIGINT NOT NULL,
    overtaken BIGINT NOT NULL,
    strange BIGINT NOT NULL,
    silent TEXT NOT NULL,
    refused TEXT NOT NULL,
    PRIMARY KEY (station),
    FOREIGN KEY(station) REFERENCES stations (id)
);

CREATE TABLE area_boxes (
    area VARCHAR(64) NOT NULL,
    heard_s BIGINT NOT NULL,
    boots BIGINT NOT NULL,
    kept BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    away TEXT NOT NULL,
    PRIMARY KEY (area),
    FOREIGN KEY(area) REFERENCES areas (id)
);

CREATE TABLE kept (
    station VARCHAR(64) NOT NULL,
    spool BLOB NOT NULL,
    acknowledged BIGINT NOT NULL,
    at_s BIGINT NOT NULL,
    PRIMARY KEY (station, spool),
    FOREIGN KEY(station) REFERENCES stations (id)
);

CREATE INDEX reports_by_clock ON reports (meter, timer_s);

DROP TRIGGER reports_no_delete;
CREATE TRIGGER reports_no_delete BEFORE DELETE ON reports WHEN NOT EXISTS (SELECT 1 FROM reports AS later WHERE later.meter = OLD.meter AND later.epoch = OLD.epoch AND later.timer_s / 86400 = OLD.timer_s / 86400 AND (later.timer_s, later.number) > (OLD.timer_s, OLD.number)) BEGIN SELECT RAISE(ABORT, 'reports: the last of a day is never changed or removed'); END;
