CREATE INDEX audit_log_by_subject ON audit_log (subject, number);
CREATE INDEX tariffs_by_reach ON tariffs (everywhere, version);
