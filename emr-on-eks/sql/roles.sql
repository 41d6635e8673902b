-- Roles of the database, for PostgreSQL 13 or later (RDS too). Run it as the master user, in the database of the ledger:
--   psql -v ON_ERROR_STOP=1 -f roles.sql, then `swath catalog migrate --ledger` as swath_migrate, then this file once more.
-- swath_migrate makes and changes the schema. swath_run is what runs are: it reads and writes rows, and can make, change and drop nothing.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'swath_migrate') THEN CREATE ROLE swath_migrate LOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'swath_run') THEN CREATE ROLE swath_run LOGIN; END IF;
    -- On RDS both come with a token of IAM instead of a password.
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') THEN GRANT rds_iam TO swath_migrate, swath_run; END IF;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT, CREATE ON DATABASE %I TO swath_migrate', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO swath_run', current_database());
    -- The ledger, once it is there.
    IF to_regnamespace('swath_ledger') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA swath_ledger TO swath_run;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA swath_ledger TO swath_run;
        -- The log of what happened is only added to.
        REVOKE UPDATE, DELETE ON swath_ledger.changes FROM swath_run;
    END IF;
    -- The served catalogue, where pgSTAC is in this database.
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'pgstac_ingest') AND to_regnamespace('pgstac') IS NOT NULL THEN
        GRANT pgstac_ingest TO swath_run;
    END IF;
END
$$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
