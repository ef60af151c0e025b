CREATE TABLE unbooked (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    station VARCHAR(64),
    meter VARCHAR(6) NOT NULL,
    payload BLOB NOT NULL,
    digest BLOB NOT NULL,
    cause TEXT NOT NULL,
    times BIGINT NOT NULL,
    first_s BIGINT NOT NULL,
    last_s BIGINT NOT NULL,
    FOREIGN KEY(station) REFERENCES stations (id),
    UNIQUE (meter, digest)
);
CREATE INDEX unbooked_by_station ON unbooked (station, number);
ALTER TABLE meter_keys ADD COLUMN doubted BOOLEAN DEFAULT '0' NOT NULL;
